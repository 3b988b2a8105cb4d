/** The page: servers and channels, the people to be, the channel itself, and what is behind it. */

import { Channel } from "./channel.js";
import { connect } from "./connection.js";
import { FileInput } from "./files.js";
import { Form } from "./form.js";
import { Panel } from "./panel.js";
import { find, list, useRecords } from "./store.js";
import { html, useEffect, useState } from "./vendor/preact-htm.js";
import { useTheme, useView } from "./view.js";
import { CHANNEL } from "./world.js";

/** Below these widths the sides are drawers, as on a phone. */
const NARROW = matchMedia("(max-width: 768px)");
const MEDIUM = matchMedia("(max-width: 1180px)");

export function App() {
  useRecords();
  const [line, setLine] = useState("cut");
  const [open, setOpen] = useSides();
  const [theme, toggleTheme] = useTheme();
  const view = useView();
  useEffect(() => connect(setLine), []);
  if (!view.channel) return html`<p class="starting" role="status">Connecting to the sandbox…</p>`;

  // On a phone a side lies over the channel: one at a time, until something was chosen in it.
  const shut = () => NARROW.matches && setOpen({ places: false, panel: false });
  const toggle = (side) => {
    const others = NARROW.matches ? { places: false, panel: false } : open;
    setOpen({ ...others, [side]: !open[side] });
  };
  const go = (id) => {
    view.go(id);
    shut();
  };
  const become = (id) => {
    view.become(id);
    shut();
  };
  const forms = list("form").filter((form) => form.member === view.person.id);
  return html`
    <${Banner} line=${line} />
    <div class="columns" onKeyDown=${({ key }) => key === "Escape" && shut()}>
      ${
        open.places &&
        html`
          <div class="sides">
            <${Rail} view=${view} go=${go} />
            <div class="places">
              <${Places} view=${view} go=${go} />
              <${People} view=${view} become=${become} />
            </div>
          </div>
        `
      }
      <main class="chat" onClick=${(event) => event.target.closest(".bar") || shut()}>
        <header class="bar">
          <${Tool} name="Channels" sign="☰" aria-expanded=${open.places} onClick=${() => toggle("places")} />
          <h1>${titleOf(view.channel)}</h1>
          <${Tool} name=${`${theme === "dark" ? "Light" : "Dark"} theme`} sign="◐" onClick=${toggleTheme} />
          <${Tool} name="Backstage" sign="◧" aria-expanded=${open.panel} onClick=${() => toggle("panel")} />
        </header>
        <${Channel} key=${view.channel.id} channel=${view.channel} person=${view.person.id} />
        <${FileInput} />
      </main>
      ${open.panel && html`<${Panel} />`}
    </div>
    ${forms.length > 0 && html`<${Form} key=${forms[0].id} form=${forms[0]} person=${view.person.id} />`}
  `;
}

/** Which sides are open: all for which there is room, until somebody says otherwise. */
function useSides() {
  const room = () => ({ places: !NARROW.matches, panel: !MEDIUM.matches });
  const [open, setOpen] = useState(room);
  useEffect(() => {
    const settle = () => setOpen(room());
    for (const width of [NARROW, MEDIUM]) width.addEventListener("change", settle);
    return () => {
      for (const width of [NARROW, MEDIUM]) width.removeEventListener("change", settle);
    };
  }, []);
  return [open, setOpen];
}

const BROKEN = {
  cut: "The sandbox does not answer; trying again…",
  old: "The sandbox was started anew: open the address that it printed.",
};

function Banner({ line }) {
  const real = find("setup", "setup").api === "real";
  return html`
    <header class="banner">
      <strong>Sandbox.</strong>${" "}
      ${
        real
          ? "Not Discord, but a stand-in on this machine. Edits are made by the real edit API, which charges your key."
          : "Not Discord, but a stand-in on this machine. Edits are imitations: no account, no model, no cost."
      }
      ${line !== "open" && html`${" "}<strong role="status">${BROKEN[line]}</strong>`}
    </header>
  `;
}

/** A button of the bar, on a phone by its sign alone. */
function Tool({ name, sign, ...rest }) {
  return html`
    <button type="button" class="tool" aria-label=${name} title=${name} ...${rest}>
      <span aria-hidden="true">${sign}</span> <span class="words">${name}</span>
    </button>
  `;
}

function Rail({ view, go }) {
  const direct = view.channels.find((channel) => channel.type === CHANNEL.DIRECT);
  return html`
    <nav class="rail" aria-label="Servers">
      <${Server}
        name="Direct messages"
        sign="✉"
        here=${view.channel === direct}
        go=${() => go(direct.id)}
      />
      ${list("guild").map(
        (guild) => html`
          <${Server}
            key=${guild.id}
            name=${guild.name}
            sign=${initialsOf(guild.name)}
            here=${view.channel.guild === guild.id}
            go=${() => go(view.channels.find((channel) => channel.guild === guild.id).id)}
          />
        `,
      )}
    </nav>
  `;
}

function Server({ name, sign, here, go }) {
  return html`
    <button type="button" class="server" aria-current=${here} aria-label=${name} title=${name} onClick=${go}>
      ${sign}
    </button>
  `;
}

function Places({ view, go }) {
  const guild = find("guild", view.channel.guild);
  const here = view.channels.filter((channel) => channel.guild === view.channel.guild);
  const threads = (parent) => here.filter((channel) => channel.parent === parent.id);
  const place = (channel) => html`
    <li key=${channel.id}>
      <button
        type="button"
        class="place"
        aria-current=${channel === view.channel}
        onClick=${() => go(channel.id)}
      >
        <span class="sign" aria-hidden="true">${signOf(channel)}</span>${nameOf(channel)}
      </button>
      ${threads(channel).length > 0 && html`<ul>${threads(channel).map(place)}</ul>`}
    </li>
  `;
  return html`
    <nav class="channels" aria-label="Channels">
      <h2>${guild?.name ?? "Direct messages"}</h2>
      <ul>${here.filter((channel) => !channel.parent).map(place)}</ul>
    </nav>
  `;
}

function People({ view, become }) {
  return html`
    <section class="people" aria-label="Who you are">
      <h2>You are</h2>
      ${view.people.map(
        (user) => html`
          <button
            key=${user.id}
            type="button"
            class="person"
            aria-pressed=${user === view.person}
            onClick=${() => become(user.id)}
          >
            <strong>${user.name}</strong> <span>${user.part}</span>
          </button>
        `,
      )}
    </section>
  `;
}

function titleOf(channel) {
  return `${signOf(channel)} ${nameOf(channel)}`;
}

function signOf(channel) {
  return { [CHANNEL.TEXT]: "#", [CHANNEL.DIRECT]: "@", [CHANNEL.THREAD]: "↳" }[channel.type];
}

function nameOf(channel) {
  return channel.type === CHANNEL.DIRECT ? find("setup", "setup").application : channel.name;
}

function initialsOf(name) {
  return name
    .split(" ")
    .map((word) => word[0])
    .join("");
}
