/** Small signs of how something goes. */

import { html } from "./vendor/preact-htm.js";

/** Dots that say that something is awaited. */
export function Dots() {
  return html`<span class="dots" aria-hidden="true"><i /><i /><i /></span>`;
}

/** What is wrong, for whoever did it only. */
export function Wrong({ error, id }) {
  return error ? html`<p class="wrong" role="alert" id=${id}>${error}</p>` : null;
}
