/** Images, films, sounds and other files: those of the sandbox are drawn, others only named. */

import { Outside } from "./links.js";
import { Cover, Spoiler } from "./spoiler.js";
import { html, useLayoutEffect, useRef, useState } from "./vendor/preact-htm.js";

const WIDEST = 550;
const HIGHEST = 350;
const SPOILER = 1 << 3;
const UNITS = ["bytes", "KB", "MB", "GB"];

/** What is drawn of an attachment. */
function fromAttachment(attachment) {
  return {
    url: attachment.url,
    type: attachment.content_type ?? "",
    name: attachment.title ?? attachment.filename,
    size: attachment.size,
    width: attachment.width || undefined,
    height: attachment.height || undefined,
    description: attachment.description,
    spoiler: Boolean(attachment.flags & SPOILER) || attachment.filename.startsWith("SPOILER_"),
  };
}

/** What is drawn of a component's or an embed's media, of `kind` when they do not say a type. */
export function fromMedia(media, kind, { description, spoiler, name, size } = {}) {
  return {
    url: media.url,
    type: media.content_type ?? `${kind}/`,
    name: name ?? decodeURIComponent(media.url.split("?")[0].split("/").at(-1)),
    size,
    width: media.width || undefined,
    height: media.height || undefined,
    description: description ?? media.description,
    spoiler,
  };
}

/** A message's own files: images and films in a gallery, the others below. */
export function Attachments({ attachments }) {
  const items = attachments.map(fromAttachment);
  const visual = items.filter(isVisual);
  return html`
    ${visual.length > 0 && html`<${Gallery} items=${visual} />`}
    ${items
      .filter((item) => !isVisual(item))
      .map((item) => html`<${File} key=${item.url} item=${item} />`)}
  `;
}

/** One to ten images and films, each enlarged by a click. */
export function Gallery({ items }) {
  const [lifted, setLifted] = useState([]);
  const [enlarged, setEnlarged] = useState(null);
  const isShown = (item, index) => !item.spoiler || lifted.includes(index);
  const images = items.filter((item, index) => isImage(item) && isShown(item, index));
  return html`
    <div class="gallery" data-count=${items.length} style=${naturalWidth(items)}>
      ${items.map(
        (item, index) => html`
          <${Cover} shown=${isShown(item, index)} onShow=${() => setLifted([...lifted, index])}>
            <${Media} item=${item} onEnlarge=${() => setEnlarged(images.indexOf(item))} />
          <//>
        `,
      )}
    </div>
    ${
      images[enlarged] &&
      html`<${Lightbox} ...${{ images }} index=${enlarged} onTurn=${setEnlarged} />`
    }
  `;
}

/** One small image, such as a section's or an embed's. */
export function Thumbnail({ item }) {
  return html`<div class="thumbnail"><${Gallery} items=${[item]} /></div>`;
}

/** A small image that does nothing, such as the one beside an author's name. */
export function Icon({ url }) {
  return isOwn(url) && html`<img class="icon" src=${url} alt="" width="24" height="24" />`;
}

/** A file that is not in a gallery: a sound to be heard, or a card to fetch it by. */
export function File({ item }) {
  const drawn = html`
    <div class="file">
      <${FileCard} item=${item} />
      ${
        isOwn(item.url) &&
        item.type.startsWith("audio/") &&
        html`<audio controls preload="metadata" src=${item.url} aria-label=${item.name} />`
      }
    </div>
  `;
  return item.spoiler ? html`<${Spoiler}>${drawn}<//>` : drawn;
}

/** Whether the page may load an address: only what is its own. */
function isOwn(url) {
  return /^\/(?!\/)/.test(url);
}

/** A number of bytes as people read it. */
export function sayBytes(bytes) {
  const unit = Math.min(Math.floor(Math.log2(Math.max(bytes, 1)) / 10), UNITS.length - 1);
  return `${Number((bytes / 1024 ** unit).toFixed(2))} ${UNITS[unit]}`;
}

function isImage(item) {
  return isOwn(item.url) && item.type.startsWith("image/");
}

function isVisual(item) {
  return /^(image|video)\//.test(item.type);
}

function Media({ item, onEnlarge }) {
  if (!isOwn(item.url)) return html`<${Elsewhere} item=${item} />`;
  const { url: src, width, height, description } = item;
  const words = description || item.name;
  if (item.type.startsWith("video/")) {
    return html`<video controls ...${{ src, width, height }} aria-label=${words} />`;
  }
  if (!isImage(item)) return html`<${FileCard} item=${item} />`;
  return html`
    <button type="button" class="image" onClick=${onEnlarge}>
      <img alt=${words} title=${description} ...${{ src, width, height }} />
    </button>
  `;
}

function Elsewhere({ item }) {
  return html`
    <div class="elsewhere">
      <span>Not loaded: the page loads nothing from elsewhere.</span>
      <${Outside} href=${item.url}>${item.description || item.url}<//>
    </div>
  `;
}

function FileCard({ item }) {
  const { url, name, size } = item;
  return html`
    <div class="file-card">
      <svg viewBox="0 0 24 32" width="30" height="40" aria-hidden="true" fill="currentColor">
        <path d="M0 0h15v9h9v23H0z" opacity="0.35" />
        <path d="M15 0l9 9h-9z" />
      </svg>
      <div>
        ${
          isOwn(url)
            ? html`<a href=${url} download=${name}>${name}</a>`
            : html`<${Elsewhere} item=${item} />`
        }
        ${size > 0 && html`<span class="file-size">${sayBytes(size)}</span>`}
      </div>
    </div>
  `;
}

/** The room that a single image takes, kept before it has loaded. */
function naturalWidth([{ width, height }, ...others]) {
  if (others.length > 0 || !width || !height) return undefined;
  const scale = Math.min(1, WIDEST / width, HIGHEST / height);
  return { "--natural-width": `${Math.round(width * scale)}px` };
}

/** One of several images at its full size; `onTurn` is told which is to be seen, or null. */
function Lightbox({ images, index, onTurn }) {
  const dialog = useRef();
  useLayoutEffect(() => dialog.current.showModal(), []);
  const { url, name, description, width, height } = images[index];
  const turn = (step) => onTurn((index + step + images.length) % images.length);
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
      aria-label=${description || name}
      onClose=${() => onTurn(null)}
      onKeyDown=${turnByKey}
      onClick=${closeOutside}
    >
      <img src=${url} alt=${description || name} ...${{ width, height }} />
      <div class="lightbox-bar">
        ${
          images.length > 1 &&
          html`
            <button type="button" aria-label="Previous image" onClick=${() => turn(-1)}>
              ‹
            </button>
            <span aria-live="polite">${index + 1} of ${images.length}</span>
            <button type="button" aria-label="Next image" onClick=${() => turn(1)}>›</button>
          `
        }
        <a href=${url} target="_blank" rel="noopener noreferrer">Open original</a>
        <button type="button" aria-label="Close" onClick=${() => dialog.current.close()}>×</button>
      </div>
    </dialog>
  `;
}
