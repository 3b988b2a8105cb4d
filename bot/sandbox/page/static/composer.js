/** Where a person writes: a message, or a command with its options, a picker above it. */

import {
  activate,
  begin,
  choicesOf,
  clear,
  entriesOf,
  filterChoices,
  give,
  isFile,
  KIND,
  missingOf,
  nextOf,
  optionOf,
  recognise,
  restOf,
  sameText,
  search,
  settle,
  shownOf,
  type,
} from "./command_line.js";

import { act, upload } from "./connection.js";
import { openPicker, registerTarget } from "./files.js";
import { ID, idOf, Picker } from "./picker.js";
import { find } from "./store.js";
import { useSuggestions } from "./suggestions.js";
import { html, useEffect, useLayoutEffect, useRef, useState } from "./vendor/preact-htm.js";
import { CHANNEL, channelsSeen, membersOf, rolesOf } from "./world.js";

const MOST_FILES = 10;

export function Composer({ channel, person }) {
  const [text, setText] = useState("");
  const [line, setLine] = useState(null);
  const [files, setFiles] = useState([]);
  const [marked, setMarked] = useState(null);
  const [shut, setShut] = useState(false);
  const [wrong, setWrong] = useState("");
  const [busy, setBusy] = useState(false);
  const area = useRef(null);
  const place = { channel: channel.id, member: person };
  const suggestions = useSuggestions(line, place);
  const offered = channel.offers[person].map((id) => find("command", id)).filter(Boolean);
  const list = shut ? null : listOf({ text, line, channel, person, offered, suggestions });
  const items = list?.items ?? [];
  const index = items.length ? Math.min(marked ?? list.first, items.length - 1) : -1;

  useEffect(() => registerTarget({ take: (chosen) => takeFiles.current(chosen) }), []);
  useWritingOn(area, line);
  useTypingAnywhere(area);

  const moveTo = (next) => {
    setLine(next);
    setMarked(null);
    setShut(false);
    setWrong("");
  };
  const choose = (entry, rest = "") => {
    const started = type(begin(entry), rest);
    const filled = giveFiles(started, files);
    setFiles(
      files.slice(Object.values(filled.given).filter(({ value }) => value instanceof File).length),
    );
    setText("");
    moveTo(filled);
  };
  const accept = (item) => {
    if (item.entry) choose(item.entry);
    else if (item.option) moveTo(activate(line, item.option));
    else {
      const given = give(line, line.active, item.value, item.name);
      moveTo(activate(given, nextOf(given)));
    }
  };
  const write = (written) => {
    setMarked(null);
    setShut(false);
    setWrong("");
    if (line) return setLine(type(line, written));
    const found = recognise(entriesOf(offered), written);
    if (found) choose(found.entry, found.rest);
    else setText(written);
  };
  const takeFiles = useRef();
  takeFiles.current = (chosen) => {
    if (!line) return setFiles([...files, ...chosen].slice(0, MOST_FILES));
    if (!line.entry.options.some(isFile)) return setWrong(`/${line.entry.name} takes no file.`);
    moveTo(giveFiles(line, chosen));
  };
  const leave = (kept = "") => {
    moveTo(null);
    setText(kept);
  };
  const attempt = async (work) => {
    setBusy(true);
    setShut(true);
    setWrong("");
    try {
      await work();
    } catch (error) {
      setWrong(error.message);
    } finally {
      setBusy(false);
    }
  };
  const send = (written = line) => {
    if (busy) return;
    if (!written) {
      if (text.trim() || files.length) attempt(() => say());
      return;
    }
    const settled = settle(written);
    const missing = missingOf(settled);
    if (missing) {
      moveTo(activate(settled, missing.name));
      setWrong(`${missing.name}: This option is required. Specify a value.`);
    } else attempt(() => run(settled));
  };
  const say = async () => {
    const uploads = await Promise.all(files.map(upload));
    await act("say", { ...place, text: text.trim(), uploads });
    setText("");
    setFiles([]);
  };
  const run = async (written) => {
    setLine(written);
    const options = {};
    for (const [name, { value }] of Object.entries(written.given)) {
      options[name] = value instanceof File ? await upload(value) : value;
    }
    const { command, path } = written.entry;
    await act("invoke", { ...place, command: command.id, path, options });
    leave();
  };

  const onKeyDown = (event) => {
    if (event.isComposing) return;
    const item = items[index];
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && items.length) {
      setMarked((index + step + items.length) % items.length);
    } else if (event.key === "Enter" && !event.shiftKey) {
      if (!item) pressEnter();
      else if (line && !item.option && sameText(line.typed, item.name, item.value)) {
        const given = give(line, line.active, item.value, item.name);
        send(activate(given, nextOf(given)));
      } else accept(item);
    } else if (event.key === "Tab" && (line || item)) {
      if (!pressTab(event.shiftKey, item)) return;
    } else if (event.key === "Escape") {
      if (list && !shut) setShut(true);
      else if (line) leave();
      else return;
    } else if (event.key === "Backspace" && line && area.current.value === "") {
      pressBackspace();
    } else return;
    event.preventDefault();
  };
  const pressEnter = () => {
    const option = line && optionOf(line);
    if (isFile(option) && !(option.name in line.given)) openPicker();
    else send();
  };
  const pressTab = (back, item) => {
    if (item && !back) {
      accept(item);
      return true;
    }
    if (!line) return false;
    const stops = [...shownOf(line).map(({ name }) => name), null];
    const next = stops[stops.indexOf(line.active) + (back ? -1 : 1)];
    if (next !== undefined) moveTo(activate(line, next));
    return next !== undefined;
  };
  const pressBackspace = () => {
    const names = shownOf(line).map(({ name }) => name);
    const at = line.active === null ? names.length : names.indexOf(line.active);
    const cleared = line.active === null ? line : clear(line, line.active);
    if (line.active in line.given) moveTo(cleared);
    else if (at > 0) moveTo(activate(cleared, names[at - 1]));
    else leave(`/${line.entry.name}`);
  };
  const onPaste = (event) => {
    if (event.clipboardData.files.length) {
      event.preventDefault();
      takeFiles.current([...event.clipboardData.files]);
    }
  };

  const writing = html`
    <textarea
      ref=${area}
      id="composer"
      aria-label="Message"
      aria-describedby=${line ? `${ID}-about` : undefined}
      aria-controls=${items.length ? ID : undefined}
      aria-activedescendant=${index >= 0 ? idOf(index) : undefined}
      aria-autocomplete="list"
      rows="1"
      spellcheck="false"
      autocomplete="off"
      placeholder=${line ? "" : placeholderOf(channel, person)}
      readonly=${busy || !channel.rights[person].say}
      value=${line ? line.typed : text}
      onInput=${(event) => write(event.target.value)}
      onKeyDown=${onKeyDown}
      onPaste=${onPaste}
    ></textarea>
  `;
  return html`
    <div class="composer">
      ${list && html`<${Picker} list=${list} index=${index} accept=${accept} />`}
      ${wrong && html`<p class="wrong" role="alert">${wrong}</p>`}
      ${files.length > 0 && html`<${Attached} files=${files} setFiles=${setFiles} />`}
      <div class=${busy ? "box busy" : "box"}>
        <button
          type="button"
          class="attach"
          aria-label="Choose a file"
          title="Choose a file"
          disabled=${!channel.rights[person].say}
          onClick=${() => openPicker()}
        >
          +
        </button>
        ${
          line
            ? html`<${Line} line=${line} moveTo=${moveTo} writing=${writing} />`
            : html`<div class="line">${writing}</div>`
        }
        <button type="button" class="send" aria-label="Send" disabled=${busy} onClick=${() => send()}>
          ➤
        </button>
      </div>
    </div>
  `;
}

/** A command with its options, the one that is written in place. */
function Line({ line, moveTo, writing }) {
  const rest = restOf(line).length;
  return html`
    <div class="line command">
      <strong>/${line.entry.name}</strong>
      ${shownOf(line).map((option) => {
        const active = option.name === line.active;
        return html`
          <span key=${option.name} class=${active ? "pill active" : "pill"}>
            <button
              type="button"
              tabindex="-1"
              class="name"
              onClick=${() => moveTo(activate(line, option.name))}
            >
              ${option.name}${option.required && html`<span class="required">*</span>`}
            </button>
            ${isFile(option) && html`<${FileValue} line=${line} option=${option} moveTo=${moveTo} />`}
            ${!isFile(option) && !active && html`<span class="value">${line.given[option.name]?.shown}</span>`}
            ${active && writing}
          </span>
        `;
      })}
      ${line.active === null && writing}
      ${
        rest > 0 &&
        html`<button
          type="button"
          class="plain"
          tabindex="-1"
          onClick=${() => moveTo(activate(line, null))}
        >
          +${rest} more
        </button>`
      }
    </div>
  `;
}

function FileValue({ line, option, moveTo }) {
  const given = line.given[option.name];
  return html`
    <button
      type="button"
      class="file"
      tabindex="-1"
      onClick=${() => {
        moveTo(activate(line, option.name));
        openPicker();
      }}
    >
      ${given ? given.shown : "Drop a file, or choose one"}
    </button>
  `;
}

/** Files that wait for the message to be sent. */
function Attached({ files, setFiles }) {
  return html`
    <ul class="attached" aria-label="Files to send">
      ${files.map(
        (file) => html`
          <li key=${file}>
            ${file.name}
            <button
              type="button"
              class="plain"
              aria-label=${`Remove ${file.name}`}
              onClick=${() => setFiles(files.filter((each) => each !== file))}
            >
              ✕
            </button>
          </li>
        `,
      )}
    </ul>
  `;
}

/** Give files to the options that take some: to the active one first, then to empty ones. */
function giveFiles(line, files) {
  return files.reduce((filled, file) => {
    const options = filled.entry.options.filter(isFile);
    const empty = options.find(({ name }) => !(name in filled.given));
    const option = isFile(optionOf(filled)) ? optionOf(filled) : empty;
    if (!option) return filled;
    const given = give(filled, option.name, file, file.name);
    return option.name === filled.active ? activate({ ...given, typed: "" }, nextOf(given)) : given;
  }, line);
}

/** What the picker shows: a title, items to choose from, and which of them is marked at first. */
function listOf({ text, line, channel, person, offered, suggestions }) {
  if (!line) {
    if (!/^\/[^\n]*$/.test(text)) return null;
    const found = search(entriesOf(offered), text.slice(1));
    const items = found.map((entry) => ({
      name: `/${entry.name}`,
      about: entry.description,
      entry,
    }));
    return items.length ? { title: find("setup", "setup").application, items, first: 0 } : null;
  }
  const option = optionOf(line);
  const about = option && {
    title: option.name,
    about: option.description,
    required: option.required,
  };
  if (option?.autocomplete) return { ...about, ...suggestions, first: 0 };
  const choices =
    option &&
    choicesOf(option, {
      users: membersOf(channel),
      roles: rolesOf(channel),
      channels: channelsSeen(channel, person),
    });
  if (choices) return { ...about, items: filterChoices(choices, line.typed), first: 0 };
  const wanted = option ? "" : line.typed.toLowerCase();
  const rest = restOf(line).filter(({ name }) => name.startsWith(wanted));
  const items = rest.map(({ name, description }) => ({ name, about: description, option: name }));
  if (!option && !items.length) return null;
  const first = wanted ? 0 : -1;
  return { title: "Options", ...about, items, first, hint: hintOf(option) };
}

function hintOf(option) {
  if (isFile(option)) return "Drop a file here, paste one, or press Enter to choose one.";
  if (option?.type === KIND.INTEGER) return "A whole number.";
  return "";
}

function placeholderOf(channel, person) {
  if (!channel.rights[person].say) return "You do not have permission to send messages here.";
  const name = channel.type === CHANNEL.DIRECT ? find("setup", "setup").application : channel.name;
  return `Message ${channel.type === CHANNEL.TEXT ? "#" : ""}${name}`;
}

/** Keep the focus in the composer when another option is written, or no command any more. */
function useWritingOn(area, line) {
  const before = useRef(line);
  useLayoutEffect(() => {
    if (line || before.current) area.current.focus();
    before.current = line;
  }, [line?.entry, line?.active]);
}

/** Let what is typed while nothing has the focus go to the composer, as in Discord. */
function useTypingAnywhere(area) {
  useEffect(() => {
    const onKeyDown = (event) => {
      const idle = event.target === document.body || event.target.role === "log";
      if (idle && event.key.length === 1 && !event.ctrlKey && !event.metaKey) area.current.focus();
    };
    document.addEventListener("keydown", onKeyDown);
    return () => document.removeEventListener("keydown", onKeyDown);
  }, []);
}
