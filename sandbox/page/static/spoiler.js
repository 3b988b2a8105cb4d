/** What stays hidden until somebody asks to see it. */

import { html, useLayoutEffect, useRef, useState } from "./vendor/preact-htm.js";

/** Hidden text. */
export function InlineSpoiler({ children }) {
  const [shown, setShown] = useState(false);
  if (shown) return html`<span class="spoiler shown" tabindex="-1">${children}</span>`;
  const show = () => setShown(true);
  return html`
    <span
      class="spoiler"
      role="button"
      tabindex="0"
      aria-label="Spoiler: show it"
      onClick=${show}
      onKeyDown=${(event) => pressed(event) && show()}
    >
      <span inert aria-hidden="true">${children}</span>
    </span>
  `;
}

/** An image or a box under a cover; `shown` and `onShow` are those of whoever holds it. */
export function Cover({ shown, onShow, children }) {
  const content = useRef();
  const [wasHidden] = useState(!shown);
  useLayoutEffect(() => {
    if (shown && wasHidden) content.current.focus();
  }, [shown]);
  return html`
    <div class="cover ${shown ? "shown" : ""}">
      <div class="covered" ref=${content} tabindex="-1" inert=${!shown} aria-hidden=${!shown}>
        ${children}
      </div>
      ${!shown && html`<button type="button" onClick=${onShow} aria-label="Spoiler: show it" />`}
    </div>
  `;
}

/** A cover that holds by itself whether it was lifted. */
export function Spoiler({ children }) {
  const [shown, setShown] = useState(false);
  return html`<${Cover} shown=${shown} onShow=${() => setShown(true)}>${children}<//>`;
}

function pressed(event) {
  const known = event.key === "Enter" || event.key === " ";
  if (known) event.preventDefault();
  return known;
}
