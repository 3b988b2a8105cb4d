/** What a person is about to send: a message with files, or a command with its options. */

import {
  activate,
  begin,
  clear,
  entriesOf,
  give,
  giveFiles,
  isFile,
  mistakeIn,
  nextOf,
  recognise,
  sameText,
  settle,
  shownOf,
  type,
} from "./command_line.js";
import { act, upload } from "./connection.js";
import { keep, recall } from "./drafts.js";
import { picksOf } from "./picks.js";
import { find } from "./store.js";
import { useSuggestions } from "./suggestions.js";
import { useReducer, useRef } from "./vendor/preact-htm.js";
import { channelsSeen, membersOf, rolesOf } from "./world.js";

const MOST_FILES = 10;
/** The picker as it is after each key: open, with the item marked that it begins with. */
const FRESH = { marked: null, shut: false, wrong: "" };

/**
 * The draft of one person in one channel, and what can be done with it.
 *
 * `line` is the command, or null while it is a message; `picks` is what the picker shows, or null,
 * and `index` the marked one of its items, or -1.
 */
export function useDraft(channel, person) {
  const [, redraw] = useReducer((count) => count + 1, 0);
  const key = `draft ${channel.id} ${person}`;
  const place = { channel: channel.id, member: person };
  const things = {
    users: membersOf(channel),
    roles: rolesOf(channel),
    channels: channelsSeen(channel, person),
  };
  const commands = channel.offers[person].map((id) => find("command", id)).filter(Boolean);
  const entries = entriesOf(commands);
  // What is so now, and not what was when it was last drawn: two keys may come before that.
  const state = useRef(null);
  state.current ??= { draft: recall(key, entries, things), ...FRESH, sending: 0 };

  const { draft, marked, shut, wrong, sending } = state.current;
  const suggestions = useSuggestions(draft.line, place);
  const picks = shut ? null : picksOf({ ...draft, entries, suggestions });
  const items = picks?.items ?? [];
  const index = Math.min(marked ?? picks?.first ?? -1, items.length - 1);

  function set(changed) {
    state.current = { ...state.current, ...changed };
    keep(key, state.current.draft);
    redraw();
  }

  function change(changed, about = FRESH) {
    set({ draft: { ...state.current.draft, ...changed }, ...about });
  }

  function complain(words) {
    set({ wrong: words });
  }

  function start(entry, rest) {
    const filled = giveFiles(type(begin(entry, things), rest), state.current.draft.files);
    change({ text: "", line: filled.line, files: filled.left });
  }

  /** Take in what stands at the caret now; what was pasted is not read for names of options. */
  function write(written, pasted) {
    const { line } = state.current.draft;
    const found = line ? undefined : recognise(entries, written);
    if (found) start(found.entry, found.rest);
    else if (!line) change({ text: written });
    else change({ line: pasted ? { ...line, typed: written } : type(line, written) });
  }

  function choose(item) {
    const { line } = state.current.draft;
    const given = give(line, line.active, item.value, item.name);
    return activate(given, nextOf(given));
  }

  function accept(item) {
    if (item.entry) start(item.entry, "");
    else if (item.option) change({ line: activate(state.current.draft.line, item.option) });
    else change({ line: choose(item) });
  }

  /** Do what Enter does: take the marked item, or send; a choice written out is both. */
  function enter() {
    const { line } = state.current.draft;
    const item = items[index];
    if (!item) send(line);
    else if (line && !item.option && sameText(line.typed, item.name, item.value)) {
      send(choose(item));
    } else accept(item);
  }

  /** Do what the button for sending does: a command's name is taken, and all else is sent. */
  function submit() {
    if (state.current.draft.line) send(state.current.draft.line);
    else enter();
  }

  /** Take files in; a command gets them for its options. */
  function takeFiles(chosen) {
    const { line, files } = state.current.draft;
    if (!channel.rights[person].say) return;
    if (!line) {
      change({ files: [...files, ...chosen].slice(0, MOST_FILES) });
      if (files.length + chosen.length > MOST_FILES) {
        complain(`A message may have ${MOST_FILES} files.`);
      }
      return;
    }
    const filled = giveFiles(line, chosen);
    change({ line: filled.line });
    const most = line.entry.options.filter(isFile).length;
    if (filled.left.length) {
      complain(`/${line.entry.name} takes ${["no file", "one file"][most] ?? `${most} files`}.`);
    }
  }

  /** Go to the option after the active one, or before it; false where there is none. */
  function step(by) {
    const { line } = state.current.draft;
    const stops = [...shownOf(line).map(({ name }) => name), null];
    const next = stops[stops.indexOf(line.active) + by];
    if (next !== undefined) change({ line: activate(line, next) });
    return next !== undefined;
  }

  /** Go back from an option that is empty: to the one before it, or out of the command. */
  function erase() {
    const { line } = state.current.draft;
    if (line.active !== null && line.active in line.given) {
      change({ line: clear(line, line.active) });
    } else if (!step(-1)) change({ text: `/${line.entry.name}`, line: null });
  }

  /** Close the picker, or else leave the command; false where there is neither. */
  function retreat() {
    if (picks) set({ shut: true });
    else if (state.current.draft.line) change({ line: null });
    else return false;
    return true;
  }

  function send(written) {
    if (written) sendCommand(settle(written));
    else if (state.current.draft.text.trim() || state.current.draft.files.length) sendMessage();
  }

  function sendCommand(line) {
    const stray = line.active === null && line.typed.trim();
    if (stray) return complain(`/${line.entry.name} has no option “${stray}”.`);
    const mistake = mistakeIn(line);
    if (mistake) {
      change({ line: activate(line, mistake.option.name) });
      return complain(`${mistake.option.name}: ${mistake.wrong}`);
    }
    return attempt({ line: null }, () => invoke(line));
  }

  function sendMessage() {
    const { text, files } = state.current.draft;
    attempt({ text: "", files: [] }, () => say(text, files));
  }

  /** Send something: what is sent leaves the draft at once, and comes back if it cannot be sent. */
  async function attempt(left, work) {
    const before = state.current.draft;
    change(left, { ...FRESH, shut: true, sending: state.current.sending + 1 });
    try {
      await work();
    } catch (error) {
      const { text, line } = state.current.draft;
      if (!text && !line) set({ draft: before });
      complain(error.message);
    }
    set({ sending: state.current.sending - 1 });
  }

  async function invoke({ entry, given }) {
    const options = {};
    for (const [name, { value }] of Object.entries(given)) {
      options[name] = value instanceof File ? await upload(value) : value;
    }
    await act("invoke", { ...place, command: entry.command.id, path: entry.path, options });
  }

  async function say(text, files) {
    const uploads = await Promise.all(files.map(upload));
    await act("say", { ...place, text: text.trim(), uploads });
  }

  return {
    text: draft.text,
    line: draft.line,
    files: draft.files,
    busy: sending > 0,
    picks,
    index,
    wrong,
    write,
    accept,
    enter,
    submit,
    takeFiles,
    step,
    erase,
    retreat,
    goTo: (name) => change({ line: activate(state.current.draft.line, name) }),
    mark: (at) => set({ marked: (at + items.length) % items.length, shut: false }),
    removeFile: (file) => change({ files: state.current.draft.files.filter((it) => it !== file) }),
  };
}
