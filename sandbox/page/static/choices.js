/** Discord's five selects: a combobox with its listbox, in messages and in forms. */

import { Avatar } from "./avatar.js";
import { Dots } from "./feedback.js";
import { useId } from "./ids.js";
import { html, useEffect, useLayoutEffect, useRef, useState } from "./vendor/preact-htm.js";
import { CHANNEL, channelsSeen, emojiText, membersOf, rolesOf } from "./world.js";

const STRING = 3;
const TYPING_MS = 600;
const LIST_HEIGHT = 320;

/** What is chosen in a select before anybody touched it. */
export function defaultValues(component) {
  if (component.type !== STRING) return (component.default_values ?? []).map(({ id }) => id);
  return component.options.filter((option) => option.default).map(({ value }) => value);
}

/**
 * A select. `onChoose` is told each change of `values`, `onDone` the values when the list closes
 * with others than it opened with.
 */
export function Choices({
  component,
  channel,
  person,
  label,
  values,
  onChoose,
  onDone,
  id,
  name,
  disabled,
  busy,
  describedBy,
  invalid,
}) {
  const [open, setOpen] = useState(false);
  const [active, setActive] = useState(0);
  const [query, setQuery] = useState("");
  const list = useId();
  const before = useRef(values);
  const typed = useRef({ letters: "", at: 0 });

  const searchable = component.type !== STRING;
  const most = component.max_values ?? 1;
  const fewest = component.min_values ?? 1;
  const options = optionsOf(component, channel, person);
  const found = options.filter((option) =>
    option.label.toLowerCase().includes(query.toLowerCase()),
  );
  const chosen = options.filter((option) => values.includes(option.value));
  const words = chosen
    .map((option) => [option.emoji, option.label].filter(Boolean).join(" "))
    .join(", ");
  const placeholder = component.placeholder || "Make a selection";

  function show() {
    if (disabled || busy || open) return;
    before.current = values;
    setQuery("");
    setActive(
      Math.max(
        0,
        options.findIndex((option) => values.includes(option.value)),
      ),
    );
    setOpen(true);
  }

  function close(now = values) {
    if (!open) return;
    setOpen(false);
    setQuery("");
    if (
      now.length === before.current.length &&
      now.every((value) => before.current.includes(value))
    )
      return;
    onDone?.(now);
  }

  function choose(option) {
    if (!option) return;
    const had = values.includes(option.value);
    let now = had ? values.filter((value) => value !== option.value) : [...values, option.value];
    if (most === 1 && had && fewest > 0) now = values;
    if (most === 1 && !had) now = [option.value];
    if (now.length > most) return;
    onChoose(now);
    if (most === 1) close(now);
  }

  function seek(letter) {
    const now = Date.now();
    const fresh = now - typed.current.at > TYPING_MS;
    typed.current = {
      letters: (fresh ? "" : typed.current.letters) + letter.toLowerCase(),
      at: now,
    };
    const match = found.findIndex((option) =>
      option.label.toLowerCase().startsWith(typed.current.letters),
    );
    if (match >= 0) setActive(match);
  }

  const moves = {
    ArrowDown: () => setActive(Math.min(active + 1, found.length - 1)),
    ArrowUp: () => setActive(Math.max(active - 1, 0)),
    Home: () => setActive(0),
    End: () => setActive(found.length - 1),
    Enter: () => choose(found[active]),
    Escape: () => close(),
  };

  function press(event) {
    const { key } = event;
    const letter = key.length === 1 && !event.ctrlKey && !event.metaKey && !event.altKey;
    if (!open) {
      if (!["ArrowDown", "ArrowUp", "Enter", " "].includes(key)) return;
      show();
    } else if (key in moves) moves[key]();
    else if (key === " " && !searchable) choose(found[active]);
    else if (letter && !searchable) seek(key);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  return html`
    <div class="choices ${open ? "open" : ""}">
      <input
        type="text"
        role="combobox"
        id=${id}
        name=${name}
        aria-label=${label ?? placeholder}
        aria-expanded=${open}
        aria-haspopup="listbox"
        aria-controls=${list}
        aria-activedescendant=${open && found[active] ? `${list}-${active}` : undefined}
        aria-autocomplete=${searchable ? "list" : "none"}
        aria-disabled=${disabled || busy}
        aria-busy=${busy}
        aria-describedby=${describedBy}
        aria-invalid=${invalid}
        autocomplete="off"
        readonly=${!open || !searchable}
        disabled=${disabled}
        placeholder=${words || placeholder}
        value=${open && searchable ? query : words}
        onClick=${() => (open && !searchable ? close() : show())}
        onInput=${(event) => {
          setQuery(event.target.value);
          setActive(0);
        }}
        onKeyDown=${press}
        onBlur=${() => close()}
      />
      ${busy ? html`<${Dots} />` : html`<span class="chevron" aria-hidden="true" />`}
      <${Listbox}
        ...${{ open, found, active, values, most, choose, setActive }}
        id=${list}
        label=${label ?? placeholder}
      />
    </div>
  `;
}

function Listbox({ id, open, found, active, values, most, label, choose, setActive }) {
  const list = useRef();
  const [above, setAbove] = useState(false);
  const full = most > 1 && values.length >= most;
  useLayoutEffect(() => {
    if (!open) return;
    const { top, bottom } = list.current.parentElement.getBoundingClientRect();
    setAbove(bottom + LIST_HEIGHT > innerHeight && top > innerHeight - bottom);
  }, [open]);
  useEffect(() => {
    list.current.children[active]?.scrollIntoView({ block: "nearest" });
  }, [active, open]);
  return html`
    <div
      ref=${list}
      id=${id}
      role="listbox"
      class="options ${above ? "above" : ""}"
      hidden=${!open}
      aria-label=${label}
      aria-multiselectable=${most > 1}
      onMouseDown=${(event) => event.preventDefault()}
    >
      ${
        open &&
        found.map(
          (option, index) => html`
            <div
              key=${option.value}
              id=${`${id}-${index}`}
              role="option"
              class=${index === active ? "active" : ""}
              aria-selected=${values.includes(option.value)}
              aria-disabled=${full && !values.includes(option.value)}
              onMouseMove=${() => setActive(index)}
              onClick=${() => choose(option)}
            >
              ${option.user && html`<${Avatar} user=${option.user} size=${24} />`}
              ${option.emoji && html`<span class="emoji" aria-hidden="true">${option.emoji}</span>`}
              <span class="option-words">
                <span>${option.label}</span>
                ${
                  option.description &&
                  html`<span class="option-description">${option.description}</span>`
                }
              </span>
              <span class=${most > 1 ? "check-box" : "check-mark"} aria-hidden="true" />
            </div>
          `,
        )
      }
      ${
        open &&
        found.length === 0 &&
        html`<div role="option" aria-disabled="true" aria-selected="false">Nothing found</div>`
      }
    </div>
  `;
}

const SOURCES = {
  3: (component) =>
    component.options.map((option) => ({
      ...option,
      emoji: option.emoji && emojiText(option.emoji),
    })),
  5: (_, channel) => users(channel),
  6: (_, channel) => roles(channel),
  7: (_, channel) => [...users(channel), ...roles(channel)],
  8: (component, channel, person) =>
    channelsSeen(channel, person)
      .filter((each) => !component.channel_types || component.channel_types.includes(each.type))
      .map((each) => ({
        value: each.id,
        label: each.name,
        emoji: each.type === CHANNEL.THREAD ? "↳" : "#",
      })),
};

function optionsOf(component, channel, person) {
  return channel || component.type === STRING
    ? SOURCES[component.type](component, channel, person)
    : [];
}

function users(channel) {
  return membersOf(channel).map(({ id, name }) => ({ value: id, label: name, user: id }));
}

function roles(channel) {
  return rolesOf(channel).map(({ id, name }) => ({ value: id, label: name, emoji: "@" }));
}
