/** Where the focus goes when what held it has gone: to the composer. */

let home = null;

export function setHome(element) {
  home = element;
}

export function goHome() {
  home?.focus();
}
