/** What a person is about to send: a message with files, or a command with its options. */

import {
  activate,
  begin,
  clear,
  entriesOf,
  give,
  giveFiles,
  isFile,
  missingOf,
  nextOf,
  recognise,
  sameText,
  settle,
  shownOf,
  type,
} from "./command_line.js";
import { act, upload } from "./connection.js";
import { picksOf } from "./picks.js";
import { find } from "./store.js";
import { useSuggestions } from "./suggestions.js";
import { useRef, useState } from "./vendor/preact-htm.js";

const MOST_FILES = 10;
const EMPTY = { text: "", line: null, files: [] };
/** The picker as it is after each key: open, with the item marked that it begins with. */
const FRESH = { marked: null, shut: false };

/**
 * The draft of one person in one channel, and what can be done with it.
 *
 * `line` is the command, or null while it is a message; `picks` is what the picker shows, or null,
 * and `index` the marked one of its items, or -1.
 */
export function useDraft(channel, person) {
  const [draft, setDraft] = useState(EMPTY);
  const [picker, setPicker] = useState(FRESH);
  const [wrong, setWrong] = useState("");
  const [busy, setBusy] = useState(false);
  // Known at once, where the state is known at the next drawing: two Enters send one command.
  const sending = useRef(false);
  const { text, line, files } = draft;
  const place = { channel: channel.id, member: person };
  const suggestions = useSuggestions(line, place);
  const commands = channel.offers[person].map((id) => find("command", id)).filter(Boolean);
  const entries = entriesOf(commands);
  const picks = picker.shut ? null : picksOf({ text, line, entries, channel, person, suggestions });
  const items = picks?.items ?? [];
  const index = Math.min(picker.marked ?? picks?.first ?? -1, items.length - 1);

  function change(changed) {
    setDraft({ ...draft, ...changed });
    setPicker(FRESH);
    setWrong("");
  }

  function start(entry, rest) {
    const filled = giveFiles(type(begin(entry), rest), files);
    change({ text: "", line: filled.line, files: filled.left });
  }

  /** Take in what stands at the caret now; what was pasted is not read for names of options. */
  function write(written, pasted) {
    const found = line ? undefined : recognise(entries, written);
    if (found) start(found.entry, found.rest);
    else if (!line) change({ text: written });
    else change({ line: pasted ? { ...line, typed: written } : type(line, written) });
  }

  function choose(item) {
    const given = give(line, line.active, item.value, item.name);
    return activate(given, nextOf(given));
  }

  function accept(item) {
    if (item.entry) start(item.entry, "");
    else change({ line: item.option ? activate(line, item.option) : choose(item) });
  }

  /** Do what Enter does: take the marked item, or send; a choice written out is both. */
  function enter() {
    const item = items[index];
    if (!item) send(line);
    else if (line && !item.option && sameText(line.typed, item.name, item.value))
      send(choose(item));
    else accept(item);
  }

  /** Take files in; a command gets them for its options. */
  function takeFiles(chosen) {
    if (!line) return change({ files: [...files, ...chosen].slice(0, MOST_FILES) });
    if (!line.entry.options.some(isFile)) return setWrong(`/${line.entry.name} takes no file.`);
    return change({ line: giveFiles(line, chosen).line });
  }

  /** Go to the option after the active one, or before it; false where there is none. */
  function step(by) {
    const stops = [...shownOf(line).map(({ name }) => name), null];
    const next = stops[stops.indexOf(line.active) + by];
    if (next !== undefined) change({ line: activate(line, next) });
    return next !== undefined;
  }

  /** Go back from an option that is empty: to the one before it, or out of the command. */
  function erase() {
    if (line.active !== null && line.active in line.given) {
      change({ line: clear(line, line.active) });
    } else if (!step(-1)) change({ ...EMPTY, text: `/${line.entry.name}` });
  }

  /** Close the picker, or else leave the command; false where there is neither. */
  function retreat() {
    if (picks) setPicker({ ...picker, shut: true });
    else if (line) change(EMPTY);
    else return false;
    return true;
  }

  async function send(written) {
    if (sending.current) return;
    const settled = written && settle(written);
    const missing = settled && missingOf(settled);
    if (missing) {
      change({ line: activate(settled, missing.name) });
      setWrong(`${missing.name}: This option is required. Specify a value.`);
      return;
    }
    if (!settled && !text.trim() && files.length === 0) return;
    sending.current = true;
    setBusy(true);
    setPicker({ marked: null, shut: true });
    setWrong("");
    setDraft({ ...draft, line: settled });
    try {
      await (settled ? invoke(settled) : say());
      setDraft(EMPTY);
    } catch (error) {
      setWrong(error.message);
    }
    sending.current = false;
    setBusy(false);
  }

  async function invoke({ entry, given }) {
    const options = {};
    for (const [name, { value }] of Object.entries(given)) {
      options[name] = value instanceof File ? await upload(value) : value;
    }
    await act("invoke", { ...place, command: entry.command.id, path: entry.path, options });
  }

  async function say() {
    const uploads = await Promise.all(files.map(upload));
    await act("say", { ...place, text: text.trim(), uploads });
  }

  return {
    ...{ text, line, files, picks, index, wrong, busy },
    ...{ write, accept, enter, takeFiles, step, erase, retreat },
    goTo: (name) => change({ line: activate(line, name) }),
    mark: (at) => setPicker({ marked: (at + items.length) % items.length, shut: false }),
    removeFile: (file) => change({ files: files.filter((each) => each !== file) }),
    send: () => send(line),
  };
}
