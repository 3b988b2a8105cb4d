/** Where a person writes: a message, or a command with its options, the picker above it. */

import { isFile, optionOf, restOf, shownOf, wrongWith } from "./command_line.js";
import { useDraft } from "./draft.js";
import { openPicker, registerTarget } from "./files.js";
import { goHome, setHome } from "./focus.js";
import { ID, idOf, Picker } from "./picker.js";
import { find } from "./store.js";
import { html, useEffect, useLayoutEffect, useRef, useState } from "./vendor/preact-htm.js";
import { CHANNEL } from "./world.js";

export function Composer({ channel, person }) {
  const draft = useDraft(channel, person);
  const { line, picks, index, files } = draft;
  const area = useRef(null);
  const maySay = channel.rights[person].say;
  useFiles(draft.takeFiles);
  useFocus(area, line);
  useGrowth(area);
  useTypingAnywhere();
  const submit = () => {
    draft.submit();
    goHome();
  };
  const writing = html`
    <textarea
      ref=${area}
      aria-label="Message"
      aria-describedby=${picks ? `${ID}-about` : undefined}
      aria-controls=${picks?.items.length ? ID : undefined}
      aria-activedescendant=${index >= 0 ? idOf(index) : undefined}
      aria-autocomplete="list"
      rows="1"
      spellcheck="false"
      autocomplete="off"
      placeholder=${line ? "" : placeholderOf(channel, maySay)}
      readonly=${!maySay}
      value=${line ? line.typed : draft.text}
      onInput=${({ target, inputType }) => draft.write(target.value, inputType === "insertFromPaste")}
      onKeyDown=${(event) => press(event, draft)}
      onPaste=${(event) => paste(event, draft)}
    ></textarea>
  `;
  return html`
    <div class="composer">
      ${picks && html`<${Picker} picks=${picks} index=${index} accept=${draft.accept} />`}
      ${draft.wrong && html`<p class="wrong" role="alert">${draft.wrong}</p>`}
      ${files.length > 0 && html`<${Files} files=${files} remove=${draft.removeFile} />`}
      <div class=${draft.busy ? "box busy" : "box"}>
        <button
          type="button"
          class="attach"
          aria-label="Choose a file"
          title="Choose a file"
          disabled=${!maySay}
          onClick=${() => openPicker()}
        >
          +
        </button>
        <div class=${line ? "line command" : "line"}>
          ${line ? html`<${Line} line=${line} goTo=${draft.goTo} writing=${writing} />` : writing}
        </div>
        <button
          type="button"
          class="send"
          aria-label="Send"
          disabled=${!maySay}
          onClick=${submit}
        >
          ➤
        </button>
      </div>
    </div>
  `;
}

/** A command with its options; what is written stands at the active one, or at the end. */
function Line({ line, goTo, writing }) {
  const rest = restOf(line).length;
  return html`
    <strong>/${line.entry.name}</strong>
    ${shownOf(line).map(
      (option) =>
        html`<${Pill} key=${option.name} option=${option} line=${line} goTo=${goTo} writing=${writing} />`,
    )}
    ${line.active === null && writing}
    ${
      rest > 0 &&
      html`<button type="button" class="plain" tabindex="-1" onClick=${() => goTo(null)}>
        +${rest} more
      </button>`
    }
  `;
}

function Pill({ option, line, goTo, writing }) {
  const active = option.name === line.active;
  const shown = line.given[option.name]?.shown;
  const wrong = !active && shown !== undefined && wrongWith(line, option);
  const chooseFile = () => {
    goTo(option.name);
    openPicker();
  };
  return html`
    <span class=${`pill ${active ? "active" : ""} ${wrong ? "mistaken" : ""}`} title=${wrong || undefined}>
      <button type="button" tabindex="-1" class="name" onClick=${() => goTo(option.name)}>
        ${option.name}${option.required && html`<span class="required">*</span>`}
      </button>
      ${
        isFile(option)
          ? html`<button type="button" class="file" tabindex="-1" onClick=${chooseFile}>
            ${shown ?? "Drop a file, or choose one"}
          </button>`
          : !active &&
            shown !== undefined &&
            html`<button type="button" tabindex="-1" class="value" onClick=${() => goTo(option.name)}>
              ${shown}
            </button>`
      }
      ${active && writing}
    </span>
  `;
}

/** Files that wait for the message to be sent. */
function Files({ files, remove }) {
  return html`
    <ul class="attached" aria-label="Files to send">
      ${files.map(
        (file) => html`
          <li key=${file}>
            <${Preview} file=${file} />
            ${file.name}
            <button
              type="button"
              class="plain"
              aria-label=${`Remove ${file.name}`}
              onClick=${() => {
                remove(file);
                goHome();
              }}
            >
              ✕
            </button>
          </li>
        `,
      )}
    </ul>
  `;
}

function Preview({ file }) {
  const [url, setUrl] = useState(null);
  useEffect(() => {
    if (!file.type.startsWith("image/")) return undefined;
    const made = URL.createObjectURL(file);
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [file]);
  return url && html`<img src=${url} alt="" onError=${() => setUrl(null)} />`;
}

function press(event, draft) {
  if (event.isComposing || !KEYS[event.key]?.(draft, event)) return;
  event.preventDefault();
}

/** What keys do to a draft; each tells whether it did something. */
const KEYS = {
  ArrowDown: (draft) => mark(draft, 1),
  ArrowUp: (draft) => mark(draft, -1),
  Enter(draft, { shiftKey }) {
    if (shiftKey) return false;
    const option = draft.line && optionOf(draft.line);
    const empty = isFile(option) && !(option.name in draft.line.given);
    if (empty && draft.index < 0) openPicker();
    else draft.enter();
    return true;
  },
  Tab(draft, { shiftKey }) {
    const item = draft.picks?.items[draft.index];
    if (item && !shiftKey) draft.accept(item);
    else return Boolean(draft.line) && draft.step(shiftKey ? -1 : 1);
    return true;
  },
  Escape: (draft) => draft.retreat(),
  ArrowLeft: (draft, { target }) =>
    Boolean(draft.line) && target.selectionEnd === 0 && draft.step(-1),
  ArrowRight: (draft, { target }) =>
    Boolean(draft.line) && target.selectionStart === target.value.length && draft.step(1),
  Backspace(draft, { target }) {
    if (!draft.line || target.value !== "") return false;
    draft.erase();
    return true;
  },
};

function mark(draft, by) {
  if (!draft.picks?.items.length) return false;
  draft.mark(draft.index < 0 && by < 0 ? -1 : draft.index + by);
  return true;
}

function paste(event, draft) {
  if (event.clipboardData.files.length === 0) return;
  event.preventDefault();
  draft.takeFiles([...event.clipboardData.files]);
}

/** Take the files that are chosen or dropped, as long as nothing in front of this does. */
function useFiles(take) {
  const latest = useRef(take);
  latest.current = take;
  useEffect(
    () =>
      registerTarget({
        take(files) {
          latest.current(files);
          goHome();
        },
      }),
    [],
  );
}

/** Go on writing where the caret of a command goes, and after the command is sent or left. */
function useFocus(area, line) {
  const writing = useRef(null);
  useLayoutEffect(() => {
    setHome(area.current);
    if (writing.current !== null) goHome();
    writing.current = Boolean(line);
  }, [line?.entry, line?.active]);
}

/** Let the textarea grow with what is in it, where the browser does not do that by itself. */
function useGrowth(area) {
  useLayoutEffect(() => {
    if (CSS.supports("field-sizing", "content")) return;
    area.current.style.height = "auto";
    area.current.style.height = `${area.current.scrollHeight}px`;
  });
}

/** Let what is typed or pasted where nothing takes it go to the composer, as in Discord. */
function useTypingAnywhere() {
  useLayoutEffect(() => {
    const onKeyDown = ({ target, key, ctrlKey, metaKey, altKey }) => {
      const letter = key.length === 1 && key !== " " && !ctrlKey && !metaKey && !altKey;
      const pasted = (ctrlKey || metaKey) && key === "v";
      if ((letter || pasted) && !target.closest(TAKES_LETTERS)) goHome();
    };
    document.addEventListener("keydown", onKeyDown);
    return () => document.removeEventListener("keydown", onKeyDown);
  }, []);
}

const TAKES_LETTERS = "input, textarea, dialog, [role=menu]";

function placeholderOf(channel, maySay) {
  if (!maySay) return "You do not have permission to send messages here.";
  const name = channel.type === CHANNEL.DIRECT ? find("setup", "setup").application : channel.name;
  return `Message ${channel.type === CHANNEL.TEXT ? "#" : ""}${name}`;
}
