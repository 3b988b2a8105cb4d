/** What a real Discord has not: the ledger as it changes, the bot's requests, and what can go wrong. */

import { act } from "./connection.js";
import { find, list, useRecords } from "./store.js";
import { html } from "./vendor/preact-htm.js";
import { userName } from "./world.js";

/** What the bot's events of an edit are called here, and how they look. */
const STEPS = {
  refused: { word: "refused", look: "void" },
  held: { word: "held", look: "hold", number: "credits" },
  acknowledged: { word: "acknowledged" },
  sent: { word: "sent" },
  rendered: { word: "rendered", number: "pictures" },
  resumed: { word: "taken up again" },
  result_lost: { word: "a result lost", look: "void" },
  faulted: { word: "faulted", look: "void" },
  posted: { word: "posted", number: "pictures" },
  charged: { word: "captured", look: "capture", number: "credits" },
  voided: { word: "voided", look: "void", number: "credits" },
};

export function Panel() {
  useRecords();
  return html`
    <aside class="panel" aria-label="Backstage">
      <${Bot} />
      <${Ledger} />
      <${Troubles} />
      <${Requests} />
    </aside>
  `;
}

function Bot() {
  const { state, lines } = find("bot", "bot");
  const runs = state !== "offline";
  return html`
    <section aria-label="Bot">
      <h2>Bot</h2>
      <p class="state">
        <span class=${`lamp ${state}`} aria-hidden="true"></span>
        <span role="status">${state}</span>
        <button type="button" class="act danger" disabled=${!runs} onClick=${() => act("kill")}>
          kill -9
        </button>
        <button type="button" class="act" disabled=${runs} onClick=${() => act("start")}>Start</button>
      </p>
      ${lines.length > 0 && html`<pre class="lines" tabindex="0" aria-label="Its last lines">${lines.join("\n")}</pre>`}
    </section>
  `;
}

function Ledger() {
  const edits = editsOf(list("event"));
  const sum = (pick) => edits.reduce((total, edit) => total + pick(edit), 0);
  return html`
    <section aria-label="Ledger">
      <h2>Ledger</h2>
      <dl class="sums">
        <div><dt>Held</dt><dd>${sum(({ held }) => held)}</dd></div>
        <div><dt>Captured</dt><dd>${sum(({ captured }) => captured)}</dd></div>
        <div><dt>Voided</dt><dd>${sum(({ voided }) => voided)}</dd></div>
      </dl>
      ${edits.length === 0 && html`<p class="none">No edit yet. Run <kbd>/edit</kbd>.</p>`}
      <ol class="edits">
        ${edits.toReversed().map((edit) => html`<${Edit} key=${edit.id} edit=${edit} />`)}
      </ol>
    </section>
  `;
}

function Edit({ edit }) {
  return html`
    <li>
      <p>${userName(edit.member)} <time datetime=${edit.at}>${clock(edit.at)}</time></p>
      <ol class="steps">
        ${edit.steps.map(
          (step, index) => html`<li key=${index} class=${step.look ?? ""}>${step.text}</li>`,
        )}
      </ol>
    </li>
  `;
}

/** Events by edit, with what each edit holds, captured and voided by them. */
function editsOf(events) {
  const edits = new Map();
  for (const event of events) {
    const step = STEPS[event.name];
    if (!step) continue;
    const edit = edits.get(event.edit) ?? {
      id: event.edit,
      member: event.member,
      at: event.at,
      steps: [],
      held: 0,
      captured: 0,
      voided: 0,
    };
    edits.set(event.edit, edit);
    const number = step.number ? ` ${event[step.number]}` : "";
    const reason = event.reason ? ` · ${event.reason.replaceAll("_", " ")}` : "";
    edit.steps.push({ look: step.look, text: `${step.word}${number}${reason}` });
    count(edit, event);
  }
  return [...edits.values()];
}

function count(edit, { name, credits }) {
  if (name === "held") edit.held = credits;
  if (name === "charged") {
    edit.captured = credits;
    edit.voided = Math.max(0, edit.held - credits);
    edit.held = 0;
  }
  if (name === "voided") {
    edit.voided = credits;
    edit.held = 0;
  }
}

function Troubles() {
  const sides = Map.groupBy(list("switch"), ({ side }) => side);
  const on = list("switch").filter((each) => each.on).length;
  return html`
    <section aria-label="What can go wrong">
      <details>
        <summary><h2>What can go wrong</h2>${on > 0 && html`<span class="badge">${on} on</span>`}</summary>
        ${[...sides].map(
          ([side, switches]) => html`
            <fieldset key=${side}>
              <legend>${side}</legend>
              ${switches.map((each) => html`<${Switch} key=${each.name} it=${each} />`)}
            </fieldset>
          `,
        )}
      </details>
    </section>
  `;
}

function Switch({ it }) {
  const turn = () => act("switch", { name: it.name, on: !it.on });
  if (it.once) return html`<button type="button" class="act" onClick=${turn}>${it.label}</button>`;
  return html`
    <button type="button" class="switch" role="switch" aria-checked=${it.on} onClick=${turn}>
      <span class="knob" aria-hidden="true"></span>${it.label}
    </button>
  `;
}

function Requests() {
  const exchanges = list("exchange").toReversed();
  return html`
    <section aria-label="Requests">
      <h2>Requests of the bot</h2>
      <ol class="exchanges" tabindex="0" aria-label="Requests of the bot, newest first">
        ${exchanges.map(
          (each) => html`
            <li key=${each.id}>
              <span class="method">${each.method}</span>
              <span class="path" title=${each.path}>${shorten(each.path)}</span>
              <span class=${each.status === null || each.status >= 400 ? "status bad" : "status"}>
                ${each.status ?? "cut"}
              </span>
              <span class="time">${each.milliseconds} ms</span>
            </li>
          `,
        )}
      </ol>
    </section>
  `;
}

/** A path without its version and with its ids cut, so that it can be read in a narrow column. */
function shorten(path) {
  return path.replace("/api/v10", "").replace(/\d{10,}/g, (id) => `…${id.slice(-4)}`);
}

function clock(at) {
  return new Date(at).toLocaleTimeString([], {
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
  });
}
