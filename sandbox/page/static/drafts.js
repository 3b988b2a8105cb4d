/** Drafts by channel and person, kept while the tab is open, over a reload too but for their files. */

import { begin } from "./command_line.js";

const kept = new Map();

const EMPTY = { text: "", line: null, files: [] };

/** The draft that was kept under a key; a command is found again among the entries. */
export function recall(key, entries, things) {
  if (!kept.has(key)) kept.set(key, read(sessionStorage.getItem(key), entries, things));
  return kept.get(key);
}

/** Keep a draft. */
export function keep(key, draft) {
  kept.set(key, draft);
  sessionStorage.setItem(key, JSON.stringify(written(draft)));
}

/** A draft as it can be kept as a text: files cannot. */
function written({ text, line }) {
  if (!line) return { text };
  const given = Object.entries(line.given).filter(([, { value }]) => !(value instanceof File));
  return {
    text,
    name: line.entry.name,
    given: Object.fromEntries(given),
    active: line.active,
    typed: line.typed,
  };
}

function read(stored, entries, things) {
  if (!stored) return EMPTY;
  const { text, name, ...rest } = JSON.parse(stored);
  const entry = entries.find((each) => each.name === name);
  return { ...EMPTY, text, line: entry ? { ...begin(entry, things), ...rest } : null };
}
