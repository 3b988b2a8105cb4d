/** The list above the composer: commands, options and choices to pick from. */

import { html, useEffect, useRef } from "./vendor/preact-htm.js";

export const ID = "picker";

/** The id of an item's element. */
export function idOf(index) {
  return `${ID}-${index}`;
}

/** The picks of a draft, as `picksOf` has them, the one with the index marked. */
export function Picker({ picks, index, accept }) {
  const marked = useRef(null);
  useEffect(() => marked.current?.scrollIntoView({ block: "nearest" }), [index]);
  return html`
    <div class="picker">
      <p id=${`${ID}-about`} class="title">
        <strong>${picks.title}</strong>${" "}${picks.about}${" "}
        ${picks.required && html`<span class="required">required</span>`}
      </p>
      ${picks.hint && html`<p class="hint">${picks.hint}</p>`}
      ${
        picks.items.length > 0 &&
        html`
          <ul id=${ID} role="listbox" aria-label=${picks.title}>
            ${picks.items.map(
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
