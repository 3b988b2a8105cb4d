/** Discord's embeds. */

import { colour } from "./feedback.js";
import { Markdown } from "./markdown.js";
import { fromMedia, Gallery, Icon, Thumbnail } from "./media.js";
import { sayWhen } from "./times.js";
import { html } from "./vendor/preact-htm.js";

/** One embed with whatever it has. */
export function Embed({ embed }) {
  const {
    author,
    provider,
    title,
    description,
    fields = [],
    thumbnail,
    image,
    video,
    footer,
  } = embed;
  return html`
    <div class="embed" style=${embed.color != null && { "--accent": colour(embed.color) }}>
      <div class="embed-body">
        ${provider?.name && html`<div class="embed-provider"><${Linked} url=${provider.url}>${provider.name}<//></div>`}
        ${author && html`<div class="embed-author"><${EmbedIcon} url=${author.icon_url} /><${Linked} url=${author.url}>${author.name}<//></div>`}
        ${title && html`<div class="embed-title"><${Linked} url=${embed.url}><${Markdown} text=${title} inline /><//></div>`}
        ${description && html`<${Markdown} text=${description} />`}
        ${fields.length > 0 && html`<div class="embed-fields">${withColumns(fields).map(drawField)}</div>`}
        ${image && html`<${Gallery} items=${[fromMedia(image, "image")]} />`}
        ${video && html`<${Gallery} items=${[fromMedia(video, "video")]} />`}
        <${Footer} footer=${footer} timestamp=${embed.timestamp} />
      </div>
      ${thumbnail && html`<${Thumbnail} item=${fromMedia(thumbnail, "image")} />`}
    </div>
  `;
}

/** Fields with the twelfths of the width that each takes: inline ones stand up to three in a line. */
function withColumns(fields) {
  const lines = [];
  for (const field of fields) {
    const line = lines.at(-1);
    if (field.inline && line?.[0].inline && line.length < 3) line.push(field);
    else lines.push([field]);
  }
  return lines.flatMap((line) =>
    line.map((field) => ({
      ...field,
      columns: field.inline && line.length > 1 ? 12 / line.length : 12,
    })),
  );
}

function drawField({ name, value, columns }) {
  return html`
    <div style=${{ gridColumn: `span ${columns}` }}>
      <div class="embed-field-name"><${Markdown} text=${name} inline /></div>
      <${Markdown} text=${value} />
    </div>
  `;
}

function Footer({ footer, timestamp }) {
  if (!footer && !timestamp) return null;
  const when =
    timestamp && html`<time datetime=${timestamp}>${sayWhen(new Date(timestamp))}</time>`;
  return html`
    <div class="embed-footer">
      <${EmbedIcon} url=${footer?.icon_url} />
      <span>${footer?.text}${footer?.text && when && " • "}${when}</span>
    </div>
  `;
}

function EmbedIcon({ url }) {
  return url ? html`<${Icon} url=${url} />` : null;
}

function Linked({ url, children }) {
  if (!/^https?:/.test(url)) return children;
  return html`<a href=${url} target="_blank" rel="noopener noreferrer">${children}</a>`;
}
