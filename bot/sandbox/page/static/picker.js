/** The list above the composer: commands, options and choices to pick from. */

import { html, useEffect, useRef } from "./vendor/preact-htm.js";

export const ID = "picker";

/** The id of an item's element. */
export function idOf(index) {
  return `${ID}-${index}`;
}

/** `list` is `{title, about, required, hint, items}`; an item has a name and something about it. */
export function Picker({ list, index, accept }) {
  const marked = useRef(null);
  useEffect(() => marked.current?.scrollIntoView({ block: "nearest" }), [index]);
  return html`
    <div class="picker">
      <p id=${`${ID}-about`} class="title">
        <strong>${list.title}</strong> ${list.about}
        ${list.required && html`<span class="required">required</span>`}
      </p>
      ${list.hint && html`<p class="hint">${list.hint}</p>`}
      ${
        list.items.length > 0 &&
        html`
          <ul id=${ID} role="listbox" aria-label=${list.title}>
            ${list.items.map(
              (item, at) => html`
                <li
                  key=${`${item.name} ${at}`}
                  id=${idOf(at)}
                  role="option"
                  aria-selected=${at === index}
                  ref=${at === index ? marked : null}
                  onMouseDown=${(event) => event.preventDefault()}
                  onClick=${() => accept(item)}
                >
                  <strong>${item.name}</strong>
                  ${item.about && html` <span>${item.about}</span>`}
                </li>
              `,
            )}
          </ul>
        `
      }
    </div>
  `;
}
