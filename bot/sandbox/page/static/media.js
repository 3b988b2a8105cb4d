/** Pictures, films, sounds and other files: drawn when they are the sandbox's, else said to be elsewhere. */

import { Cover, Spoiler } from "./spoiler.js";
import { html, useEffect, useRef, useState } from "./vendor/preact-htm.js";

const WIDEST = 550;
const HIGHEST = 350;
const SPOILER = 1 << 3;
const VOICE_MESSAGE = 1 << 13;
const UNITS = ["bytes", "KB", "MB", "GB"];

/** What is drawn of an attachment. */
export function fromAttachment(attachment) {
  return {
    url: attachment.url,
    type: attachment.content_type ?? "",
    name: attachment.title ?? attachment.filename,
    size: attachment.size,
    width: attachment.width,
    height: attachment.height,
    description: attachment.description,
    spoiler: Boolean(attachment.flags & SPOILER) || attachment.filename.startsWith("SPOILER_"),
  };
}

/** What is drawn of the media in a component or an embed, which are of a kind when nothing says their type. */
export function fromMedia(media, kind, { description, spoiler, name, size } = {}) {
  return {
    url: media.url,
    type: media.content_type ?? `${kind}/`,
    name: name ?? decodeURIComponent(media.url.split("?")[0].split("/").at(-1)),
    size,
    width: media.width,
    height: media.height,
    description: description ?? media.description,
    spoiler,
  };
}

/** A message's own files: pictures and films in a gallery, the others below. */
export function Attachments({ attachments, flags }) {
  const items = attachments.map(fromAttachment);
  const visual = items.filter(isVisual);
  return html`
    ${visual.length > 0 && html`<${Gallery} items=${visual} />`}
    ${items
      .filter((item) => !isVisual(item))
      .map((item) => html`<${File} key=${item.url} item=${item} voice=${flags & VOICE_MESSAGE} />`)}
  `;
}

/** One to ten pictures and films, each enlarged by a click. */
export function Gallery({ items }) {
  const [lifted, setLifted] = useState([]);
  const [enlarged, setEnlarged] = useState(null);
  const isShown = (item) => !item.spoiler || lifted.includes(item.url);
  const pictures = items.filter((item) => isPicture(item) && isShown(item));
  return html`
    <div class="gallery" data-count=${items.length} style=${items.length === 1 ? sizeOf(items[0]) : undefined}>
      ${items.map(
        (item) => html`
          <${Cover} key=${item.url} shown=${isShown(item)} onShow=${() => setLifted([...lifted, item.url])}>
            <${Media} item=${item} onEnlarge=${() => setEnlarged(item)} />
          <//>
        `,
      )}
    </div>
    ${enlarged && html`<${Lightbox} pictures=${pictures} first=${enlarged} onClose=${() => setEnlarged(null)} />`}
  `;
}

/** One small picture, such as a section's or an embed's. */
export function Thumbnail({ item }) {
  return html`<div class="thumbnail"><${Gallery} items=${[item]} /></div>`;
}

/** A small picture that does nothing, such as the one beside an author's name. */
export function Icon({ url }) {
  return isOwn(url) && html`<img class="icon" src=${url} alt="" width="24" height="24" />`;
}

/** A file that is not in a gallery: a sound to be heard, or a card to fetch it by. */
export function File({ item, voice = false }) {
  const drawn = html`
    <div class="file">
      ${voice ? html`<span class="note">Voice message</span>` : html`<${FileCard} item=${item} />`}
      ${isOwn(item.url) && item.type.startsWith("audio/") && html`<audio controls preload="metadata" src=${item.url} aria-label=${item.name} />`}
    </div>
  `;
  return item.spoiler ? html`<${Spoiler}>${drawn}<//>` : drawn;
}

/** Whether the page may load an address: only what is its own. */
export function isOwn(url) {
  return /^\/(?!\/)/.test(url);
}

/** A number of bytes as people read it. */
export function sayBytes(bytes) {
  const unit = Math.min(Math.floor(Math.log2(Math.max(bytes, 1)) / 10), UNITS.length - 1);
  return `${Number((bytes / 1024 ** unit).toFixed(2))} ${UNITS[unit]}`;
}

function isPicture(item) {
  return isOwn(item.url) && item.type.startsWith("image/");
}

function isVisual(item) {
  return /^(image|video)\//.test(item.type);
}

function Media({ item, onEnlarge }) {
  if (!isOwn(item.url)) return html`<${Elsewhere} item=${item} />`;
  const size = { width: item.width || undefined, height: item.height || undefined };
  if (item.type.startsWith("video/")) {
    return html`<video controls preload="metadata" src=${item.url} ...${size} aria-label=${item.description ?? item.name} />`;
  }
  if (!isPicture(item)) return html`<${FileCard} item=${item} />`;
  return html`
    <button type="button" class="picture" onClick=${onEnlarge}>
      <img src=${item.url} alt=${item.description || item.name} title=${item.description} ...${size} />
    </button>
  `;
}

function Elsewhere({ item }) {
  return html`
    <div class="elsewhere">
      <span>Not loaded: the page loads nothing from elsewhere.</span>
      <a href=${item.url} target="_blank" rel="noopener noreferrer">${item.description || item.url}</a>
    </div>
  `;
}

function FileCard({ item }) {
  return html`
    <div class="file-card">
      <svg viewBox="0 0 24 32" width="30" height="40" aria-hidden="true">
        <path d="M2 0h13l9 9v21a2 2 0 0 1-2 2H2a2 2 0 0 1-2-2V2a2 2 0 0 1 2-2z" fill="currentColor" opacity="0.35" />
        <path d="M15 0l9 9h-7a2 2 0 0 1-2-2z" fill="currentColor" />
      </svg>
      <div>
        ${isOwn(item.url) ? html`<a href=${item.url} download=${item.name}>${item.name}</a>` : html`<${Elsewhere} item=${item} />`}
        ${item.size > 0 && html`<span class="file-size">${sayBytes(item.size)}</span>`}
      </div>
    </div>
  `;
}

/** The room that one picture takes, kept before it has loaded. */
function sizeOf({ width, height }) {
  if (!width || !height) return undefined;
  const scale = Math.min(1, WIDEST / width, HIGHEST / height);
  return { "--natural-width": `${Math.round(width * scale)}px` };
}

function Lightbox({ pictures, first, onClose }) {
  const dialog = useRef();
  const [index, setIndex] = useState(pictures.indexOf(first));
  const item = pictures[index];
  const turn = (step) => setIndex((index + step + pictures.length) % pictures.length);
  useEffect(() => dialog.current.showModal(), []);
  function turnByKey({ key }) {
    if (key === "ArrowRight") turn(1);
    if (key === "ArrowLeft") turn(-1);
  }
  function closeOutside({ target }) {
    if (target === dialog.current) dialog.current.close();
  }
  return html`
    <dialog
      class="lightbox"
      ref=${dialog}
      aria-label=${item.description || item.name}
      onClose=${onClose}
      onKeyDown=${turnByKey}
      onClick=${closeOutside}
    >
      <img src=${item.url} alt=${item.description || item.name} width=${item.width} height=${item.height} />
      <div class="lightbox-bar">
        ${
          pictures.length > 1 &&
          html`
            <button type="button" aria-label="Previous picture" onClick=${() => turn(-1)}>‹</button>
            <span aria-live="polite">${index + 1} of ${pictures.length}</span>
            <button type="button" aria-label="Next picture" onClick=${() => turn(1)}>›</button>
          `
        }
        <a href=${item.url} target="_blank" rel="noopener noreferrer">Open original</a>
        <button type="button" aria-label="Close" onClick=${() => dialog.current.close()}>×</button>
      </div>
    </dialog>
  `;
}
