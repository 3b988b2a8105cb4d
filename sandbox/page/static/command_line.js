/**
 * A command on its way to being sent: what was given to which option, and which one is written now.
 *
 * A line is a value that is never changed: each function returns another. `given` holds, by the
 * option's name, `{value, shown}`; a file's value is the File itself. `active` names the option
 * that is being written, or is null at the end of the line; `typed` is what stands there.
 */

export const KIND = {
  SUBCOMMAND: 1,
  GROUP: 2,
  STRING: 3,
  INTEGER: 4,
  BOOLEAN: 5,
  USER: 6,
  CHANNEL: 7,
  ROLE: 8,
  MENTIONABLE: 9,
  NUMBER: 10,
  FILE: 11,
};
const CHAT = 1;
/** Characters that Discord takes at most for an option that sets no limit. */
const LONGEST_TEXT = 6000;

/** Every command that can be run, subcommands each by themselves: `{command, path, name, …}`. */
export function entriesOf(commands) {
  return commands
    .filter((command) => command.type === CHAT)
    .flatMap((command) => leavesOf(command, command, []));
}

function leavesOf(command, level, path) {
  const options = level.options ?? [];
  const nested = options.filter(({ type }) => type === KIND.SUBCOMMAND || type === KIND.GROUP);
  if (nested.length) {
    return nested.flatMap((each) => leavesOf(command, each, [...path, each.name]));
  }
  const name = [command.name, ...path].join(" ");
  return [{ command, path, name, description: level.description, options }];
}

/** The entries that what was typed after the slash may mean, the likeliest first. */
export function search(entries, typed) {
  const wanted = typed.toLowerCase();
  const starting = entries.filter(({ name }) => name.startsWith(wanted));
  const holding = entries.filter(({ name }) => !name.startsWith(wanted) && name.includes(wanted));
  return [...starting, ...holding];
}

/** The entry that is named at the beginning of a text, a space after it, and the rest of the text. */
export function recognise(entries, text) {
  const found = entries.find(({ name }) => text.startsWith(`/${name} `));
  return found && { entry: found, rest: text.slice(found.name.length + 2) };
}

/**
 * A new line, at the first option that must be given. `things` are what options may name here:
 * `{users, roles, channels}`, each with its id and name.
 */
export function begin(entry, things) {
  const line = { entry, things, given: {}, active: null, typed: "" };
  return activate(line, nextOf(line));
}

export function optionOf(line, name = line.active) {
  return line.entry.options.find((option) => option.name === name);
}

/** The options that have a place in the line: those required, given or being written. */
export function shownOf(line) {
  return line.entry.options.filter(
    ({ name, required }) => required || name in line.given || name === line.active,
  );
}

/** The options that could still be added. */
export function restOf(line) {
  const shown = shownOf(line);
  return line.entry.options.filter((option) => !shown.includes(option));
}

/** The first required option that nothing was given to, or undefined. */
function missingOf(line) {
  return line.entry.options.find(({ name, required }) => required && !(name in line.given));
}

/** Where to write next: the first required option that is empty, or else the line's end. */
export function nextOf(line) {
  return missingOf(line)?.name ?? null;
}

/** Write at an option, or at the end of the line; what was written before stays given. */
export function activate(line, name) {
  const settled = settle(line);
  const typed = name === null ? "" : (settled.given[name]?.shown ?? "");
  return { ...settled, active: name, typed: isFile(optionOf(line, name)) ? "" : typed };
}

/** Give an option a value; `shown` is how it reads. */
export function give(line, name, value, shown) {
  const given = { ...line.given, [name]: { value, shown } };
  return { ...line, given, typed: name === line.active ? shown : line.typed };
}

/** Take what was given to an option away. */
export function clear(line, name) {
  const { [name]: _, ...given } = line.given;
  return { ...line, given, typed: name === line.active ? "" : line.typed };
}

/**
 * Give files to the options that take some: to the active one first, then to empty ones.
 * Returns the line, and the files that are left.
 */
export function giveFiles(line, files) {
  let filled = line;
  const left = [];
  for (const file of files) {
    const empty = filled.entry.options.find((each) => isFile(each) && !(each.name in filled.given));
    const option = isFile(optionOf(filled)) ? optionOf(filled) : empty;
    if (!option) left.push(file);
    else filled = giveFile(filled, option, file);
  }
  return { line: filled, left };
}

function giveFile(line, option, file) {
  const given = { ...line.given, [option.name]: { value: file, shown: file.name } };
  const filled = { ...line, given };
  return option.name === line.active ? activate(filled, nextOf(filled)) : filled;
}

/** Give the active option what was typed, if it was not chosen from a list. */
export function settle(line) {
  const option = optionOf(line);
  if (!option || isFile(option)) return line;
  if (line.typed === "") return clear(line, option.name);
  if (line.given[option.name]?.shown === line.typed) return line;
  return give(line, option.name, read(option, line.typed, line.things), line.typed);
}

/**
 * Type a text at the active option. The names of options with a colon behind begin these options,
 * as they do for whoever writes a whole command in one go.
 */
export function type(line, text) {
  const option = optionOf(line);
  if (isFile(option) && text !== "") {
    const other = line.entry.options.find((each) => !isFile(each) && !(each.name in line.given));
    return other ? type(activate(line, other.name), text) : line;
  }
  const found = findName(line, text);
  if (!found) return { ...line, typed: text };
  const before = { ...line, typed: text.slice(0, found.index).trimEnd() };
  return type(activate(before, found.name), text.slice(found.end).trimStart());
}

function findName(line, text) {
  for (const match of text.matchAll(/(?<=^|\s)([\p{L}\p{N}_-]+):/gu)) {
    const [whole, name] = match;
    const open = optionOf(line, name) && !(name in line.given);
    if (open && (name !== line.active || match.index === 0)) {
      return { name, index: match.index, end: match.index + whole.length };
    }
  }
  return undefined;
}

/** What a typed text is worth to an option; a text that is worth nothing stays as it is. */
function read(option, text, things) {
  const choice = choicesOf(option, things)?.find(({ name, value }) => sameText(text, name, value));
  if (choice) return choice.value;
  return isNumber(option) && isNumeric(text) ? Number(text) : text;
}

/** What is wrong with what an option was given, in words, or nothing. */
export function wrongWith(line, option) {
  if (!(option.name in line.given)) {
    return option.required ? "This option is required. Specify a value." : "";
  }
  const { value } = line.given[option.name];
  const choices = choicesOf(option, line.things);
  if (choices && !choices.some((choice) => choice.value === value)) {
    return "Choose one from the list.";
  }
  if (isNumber(option)) return wrongNumber(option, value);
  if (option.type === KIND.STRING) return wrongText(option, value);
  return "";
}

function wrongNumber({ type, min_value = -Infinity, max_value = Infinity, autocomplete }, value) {
  if (typeof value !== "number") return autocomplete ? "" : "This takes a number.";
  if (type === KIND.INTEGER && !Number.isInteger(value)) return "This takes a whole number.";
  if (value < min_value) return `This takes ${min_value} or more.`;
  return value > max_value ? `This takes ${max_value} or less.` : "";
}

function wrongText({ min_length = 0, max_length = LONGEST_TEXT }, value) {
  if (value.length < min_length) return `This takes ${min_length} characters or more.`;
  return value.length > max_length ? `This takes ${max_length} characters or fewer.` : "";
}

/** What is wrong with the line: the option and the words, or undefined. */
export function mistakeIn(line) {
  for (const option of line.entry.options) {
    const wrong = wrongWith(line, option);
    if (wrong) return { option, wrong };
  }
  return undefined;
}

/** What can be chosen for an option without asking the bot, or null where anything goes. */
export function choicesOf(option, { users, roles, channels }) {
  const named = (things, sign) =>
    things.map(({ id, name }) => ({ name: `${sign}${name.replace(/^@/, "")}`, value: id }));
  switch (option.type) {
    case KIND.BOOLEAN:
      return [
        { name: "True", value: true },
        { name: "False", value: false },
      ];
    case KIND.USER:
      return named(users, "@");
    case KIND.ROLE:
      return named(roles, "@");
    case KIND.CHANNEL:
      return named(
        channels.filter(({ type }) => option.channel_types?.includes(type) ?? true),
        "#",
      );
    case KIND.MENTIONABLE:
      return [...named(users, "@"), ...named(roles, "@")];
    default:
      return option.choices?.length ? option.choices : null;
  }
}

/** The choices that what was typed may mean. */
export function filterChoices(choices, typed) {
  const wanted = typed.toLowerCase();
  return choices.filter(
    ({ name, value }) => name.toLowerCase().includes(wanted) || sameText(typed, name, value),
  );
}

/** Whether a typed text says just this choice; signs before names may be left out. */
export function sameText(text, name, value) {
  const said = text.trim().toLowerCase();
  const called = String(name).toLowerCase();
  return (
    said === called || `@${said}` === called || `#${said}` === called || said === String(value)
  );
}

function isNumber(option) {
  return option.type === KIND.INTEGER || option.type === KIND.NUMBER;
}

function isNumeric(text) {
  return text.trim() !== "" && Number.isFinite(Number(text));
}

export function isFile(option) {
  return option?.type === KIND.FILE;
}
