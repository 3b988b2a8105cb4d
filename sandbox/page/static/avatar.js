/** Somebody's disc: the first letter of the name in a colour that stays theirs. */

import { html } from "./vendor/preact-htm.js";
import { userName } from "./world.js";

// Neighbouring ids are to differ much, so each step turns the wheel by about the golden angle.
const TURN = 137n;

export function Avatar({ user, size = 40 }) {
  const hue = Number((BigInt(user) * TURN) % 360n);
  const style = { "--hue": hue, "--size": `${size}px` };
  const [first] = userName(user);
  return html`<span class="avatar" style=${style} aria-hidden="true">${first.toUpperCase()}</span>`;
}
