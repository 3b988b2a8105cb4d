/** What the picker shows for a draft: commands, options, or choices for an option. */

import {
  choicesOf,
  filterChoices,
  isFile,
  KIND,
  optionOf,
  restOf,
  search,
} from "./command_line.js";
import { find } from "./store.js";

/**
 * `{title, about, required, hint, items, first}`, or null for no picker. An item has a name,
 * something about it, and an `entry`, an `option` or a `value`; `first` is marked at the beginning.
 */
export function picksOf({ text, line, entries, suggestions }) {
  if (!line) return commandsFor(text, entries);
  const option = optionOf(line);
  if (!option) return optionsFor(line, line.typed);
  const head = { title: option.name, about: option.description, required: option.required };
  if (option.autocomplete) return { ...head, ...suggestions, first: 0 };
  const choices = choicesOf(option, line.things);
  if (choices) return { ...head, items: filterChoices(choices, line.typed), first: 0 };
  return { ...optionsFor(line, ""), ...head, hint: hintOf(option), first: -1 };
}

function commandsFor(text, entries) {
  if (!/^\/[^\n]*$/.test(text)) return null;
  const items = search(entries, text.slice(1)).map((entry) => ({
    name: `/${entry.name}`,
    about: entry.description,
    entry,
  }));
  return items.length > 0 ? { title: find("setup", "setup").application, items, first: 0 } : null;
}

/** The options that could be added; what is typed at the line's end begins the name of one. */
function optionsFor(line, typed) {
  const items = restOf(line)
    .filter(({ name }) => name.startsWith(typed.toLowerCase()))
    .map(({ name, description }) => ({ name, about: description, option: name }));
  if (items.length === 0 && line.active === null) return null;
  return { title: "Options", items, first: typed ? 0 : -1 };
}

function hintOf(option) {
  if (isFile(option)) return "Drop a file here, paste one, or press Enter to choose one.";
  if (option.type === KIND.INTEGER) return "A whole number.";
  return "";
}
