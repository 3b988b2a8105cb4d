/** The menu of a message: the commands that apps offer for it, and what else can be done with it. */

import { act } from "./connection.js";
import { goHome } from "./focus.js";
import { find } from "./store.js";
import { html, useEffect, useLayoutEffect, useRef, useState } from "./vendor/preact-htm.js";

const MESSAGE_COMMAND = 3;
/** Of the menu, in pixels. */
const WIDTH = 220;

export function MessageMenu({ message, channel, person }) {
  // Where the menu stands: at the pointer, or under the button; null while it is closed.
  const [place, setPlace] = useState(null);
  const [wrong, setWrong] = useState("");
  const button = useRef(null);
  useEffect(() => {
    const article = button.current.closest("article");
    const onContext = (event) => {
      if (event.target.closest("a, img, button, input, textarea, select")) return;
      event.preventDefault();
      setPlace({ left: event.clientX, top: event.clientY });
    };
    article.addEventListener("contextmenu", onContext);
    return () => article.removeEventListener("contextmenu", onContext);
  }, []);

  useLayoutEffect(
    () => () => {
      if (document.activeElement === button.current) goHome();
    },
    [],
  );

  const toggle = () => {
    const { right, bottom } = button.current.getBoundingClientRect();
    setPlace(place ? null : { left: right - WIDTH, top: bottom });
  };
  const close = () => {
    setPlace(null);
    button.current.focus();
  };
  const run = (action, fields) => {
    close();
    act(action, { channel: channel.id, member: person, ...fields }).catch((error) =>
      setWrong(error.message),
    );
  };
  const commands = channel.offers[person]
    .map((id) => find("command", id))
    .filter((command) => command?.type === MESSAGE_COMMAND);
  const items = commands.map((command) => ({
    label: command.name,
    app: true,
    run: () => run("invoke", { command: command.id, path: [], options: {}, target: message.id }),
  }));
  if (message.author.id === person || channel.rights[person].manage) {
    items.push({
      label: "Delete Message",
      danger: true,
      run: () => run("delete", { message: message.id }),
    });
  }
  return html`
    <button
      type="button"
      class="more"
      aria-haspopup="menu"
      aria-expanded=${place !== null}
      aria-label="More"
      ref=${button}
      onClick=${toggle}
    >
      ⋯
    </button>
    ${place && html`<${Menu} items=${items} place=${place} close=${close} />`}
    ${wrong && html`<p class="wrong" role="alert">${wrong}</p>`}
  `;
}

function Menu({ items, place, close }) {
  const menu = useRef(null);
  const entries = () => [...menu.current.querySelectorAll("[role=menuitem]")];
  useLayoutEffect(() => {
    (entries()[0] ?? menu.current).focus();
    const leave = ({ target }) => {
      if (!menu.current.contains(target)) close();
    };
    document.addEventListener("pointerdown", leave, true);
    return () => document.removeEventListener("pointerdown", leave, true);
  }, []);

  const onKeyDown = (event) => {
    const all = entries();
    const at = all.indexOf(document.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[event.key];
    if (event.key === "Escape" || event.key === "Tab") close();
    else if (to === undefined) return;
    else all.at(to % all.length)?.focus();
    event.preventDefault();
  };
  const within = {
    left: Math.max(0, Math.min(place.left, innerWidth - WIDTH)),
    // In the lower half it opens upwards.
    ...(place.top > innerHeight / 2 ? { bottom: innerHeight - place.top } : { top: place.top }),
  };
  const apps = items.filter((item) => item.app);
  const others = items.filter((item) => !item.app);
  return html`
    <div
      class="menu"
      role="menu"
      aria-label="Message"
      tabindex="-1"
      style=${within}
      ref=${menu}
      onKeyDown=${onKeyDown}
    >
      <div role="group" aria-label="Apps">
        <p class="title" aria-hidden="true">Apps</p>
        ${apps.map(entryOf)}
        ${apps.length === 0 && html`<${Nothing} />`}
      </div>
      ${others.map(entryOf)}
    </div>
  `;
}

function Nothing() {
  return html`
    <p class="none" role="menuitem" aria-disabled="true" tabindex="-1">
      No app does anything with messages here.
    </p>
  `;
}

function entryOf(item) {
  return html`
    <button
      type="button"
      role="menuitem"
      tabindex="-1"
      class=${item.danger ? "danger" : ""}
      key=${item.label}
      onClick=${item.run}
    >
      ${item.label}
    </button>
  `;
}
