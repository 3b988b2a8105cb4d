/**
 * The page's one file input, and who gets what is chosen, dropped or pasted: the target that
 * registered last. A target is `{take(files)}`, with `inForm` for one of the form in front.
 */

import { html, useEffect } from "./vendor/preact-htm.js";

const targets = [];

/** Give files to this target from now on; returns what ends that. */
export function registerTarget(target) {
  targets.push(target);
  return () => targets.splice(targets.lastIndexOf(target), 1);
}

/** Give files to the target whose turn it is; behind a dialog there is none. */
export function giveFiles(files) {
  const target = targets.at(-1);
  const reached = target?.inForm || !document.querySelector("dialog[open]");
  if (files.length > 0 && reached) target?.take([...files]);
}

/** Ask for files; `target` comes first from now on when it is given. */
export function openPicker(target) {
  if (target) targets.push(...targets.splice(targets.lastIndexOf(target), 1));
  document.getElementById(INPUT_ID).click();
}

const INPUT_ID = "file-input";

/** The input itself, of which the page has one; and files may be dropped anywhere on the page. */
export function FileInput() {
  useEffect(() => {
    document.addEventListener("dragover", allowDrop);
    document.addEventListener("drop", drop);
    return () => {
      document.removeEventListener("dragover", allowDrop);
      document.removeEventListener("drop", drop);
    };
  }, []);
  function choose(event) {
    giveFiles(event.target.files);
    // So that choosing the same file once more is a change again.
    event.target.value = "";
  }
  return html`
    <input
      id=${INPUT_ID}
      class="visually-hidden"
      type="file"
      multiple
      tabindex="-1"
      aria-label="Upload a file"
      onChange=${choose}
    />
  `;
}

function allowDrop(event) {
  if (event.dataTransfer.types.includes("Files")) event.preventDefault();
}

function drop(event) {
  allowDrop(event);
  giveFiles(event.dataTransfer.files);
}
