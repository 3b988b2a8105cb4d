/**
 * The page's copy of what the sandbox has: records by kind and id, as the sandbox sends them.
 *
 * Kinds and what their values hold are those of `feed.py`. Records of a kind stay in the order in
 * which they came first.
 */

import { useEffect, useReducer } from "./vendor/preact-htm.js";

const kinds = new Map();
const listeners = new Set();
let scheduled = false;

/** Take changes in: `[kind, id, value]` each, with `null` for a value that went. */
export function take(changes) {
  for (const [kind, id, value] of changes) {
    if (!kinds.has(kind)) kinds.set(kind, new Map());
    if (value === null) kinds.get(kind).delete(id);
    else kinds.get(kind).set(id, value);
  }
  tell();
}

/** Take everything in, in place of what was there. */
export function takeAll(changes) {
  kinds.clear();
  take(changes);
}

/** The record of a kind with an id, or undefined. */
export function find(kind, id) {
  return kinds.get(kind)?.get(id);
}

/** All records of a kind. */
export function list(kind) {
  return [...(kinds.get(kind)?.values() ?? [])];
}

/** Draw the component that calls this again, once a frame, when records have changed. */
export function useRecords() {
  const [, redraw] = useReducer((count) => count + 1, 0);
  useEffect(() => {
    listeners.add(redraw);
    return () => listeners.delete(redraw);
  }, []);
}

/** Wait until all records that have come are drawn. */
export function drawn() {
  return new Promise(requestAnimationFrame);
}

function tell() {
  if (scheduled) return;
  scheduled = true;
  requestAnimationFrame(() => {
    scheduled = false;
    for (const listener of listeners) listener();
  });
}
