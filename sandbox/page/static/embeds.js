/** Discord's embeds. */

import { accented } from "./accents.js";
import { Outside } from "./links.js";
import { Markdown } from "./markdown.js";
import { fromMedia, Gallery, Icon, Thumbnail } from "./media.js";
import { sayWhen } from "./times.js";
import { html } from "./vendor/preact-htm.js";

/** One embed with whatever it has. */
export function Embed({ embed }) {
  const { author, provider, title, description, fields = [], thumbnail, image, video } = embed;
  return html`
    <div class="embed" style=${accented(embed.color)}>
      <div class="embed-top">
        <div class="embed-words">
          ${
            provider?.name &&
            html`<${Outside} class="embed-provider" href=${provider.url}>${provider.name}<//>`
          }
          ${author && html`<${Author} ...${author} />`}
          ${
            title &&
            html`
              <${Outside} class="embed-title" href=${embed.url}>
                <${Markdown} text=${title} inline />
              <//>
            `
          }
          ${description && html`<${Markdown} text=${description} />`}
          <div class="embed-fields">${withColumns(fields).map(drawField)}</div>
        </div>
        ${thumbnail && html`<${Thumbnail} item=${fromMedia(thumbnail, "image")} />`}
      </div>
      ${image && html`<${Gallery} items=${[fromMedia(image, "image")]} />`}
      ${video && html`<${Gallery} items=${[fromMedia(video, "video")]} />`}
      <${Footer} footer=${embed.footer} timestamp=${embed.timestamp} />
    </div>
  `;
}

function Author({ name, url, icon_url }) {
  return html`
    <div class="embed-author">
      <${Icon} url=${icon_url} />
      <${Outside} href=${url}>${name}<//>
    </div>
  `;
}

/** Fields with the twelfths of the width that each takes: up to three inline ones share a line. */
function withColumns(fields) {
  const lines = [];
  for (const field of fields) {
    const line = lines.at(-1);
    if (field.inline && line?.[0].inline && line.length < 3) line.push(field);
    else lines.push([field]);
  }
  return lines.flatMap((line) => line.map((field) => ({ ...field, columns: 12 / line.length })));
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
  const when = timestamp && sayWhen(new Date(timestamp));
  return html`
    <div class="embed-footer">
      <${Icon} url=${footer?.icon_url} />
      <span>${[footer?.text, when].filter(Boolean).join(" • ")}</span>
    </div>
  `;
}
