/** Links that lead out of the page. */

import { html } from "./vendor/preact-htm.js";

/**
 * A link to an address elsewhere, which opens beside the page and is told nothing of it; text alone
 * where there is no address, or one that is not of the web.
 */
export function Outside({ href, children, ...rest }) {
  if (!/^https?:\/\//.test(href)) return html`<span ...${rest}>${children}</span>`;
  return html`<a href=${href} target="_blank" rel="noopener noreferrer" ...${rest}>${children}</a>`;
}
