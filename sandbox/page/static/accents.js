/** Colours that applications choose. */

/** A style that gives a box an accent: Discord has colours as numbers, null where none is set. */
export function accented(number) {
  if (number === null || number === undefined) return undefined;
  return { "--accent": `#${number.toString(16).padStart(6, "0")}` };
}
