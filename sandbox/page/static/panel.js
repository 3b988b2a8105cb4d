/** What a real Discord has not: the ledger as it changes, the bot's requests, and what can go wrong. */

import { act } from "./connection.js";
import { find, list } from "./store.js";
import { html, useState } from "./vendor/preact-htm.js";
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
  const [wrong, setWrong] = useState("");
  const attempt = (action, fields) => {
    setWrong("");
    act(action, fields).catch((error) => setWrong(error.message));
  };
  return html`
    <aside class="panel" aria-label="Backstage">
      <${Bot} attempt=${attempt} />
      ${wrong && html`<p class="wrong" role="alert">${wrong}</p>`}
      <${Ledger} />
      <${Troubles} attempt=${attempt} />
      <${Requests} />
    </aside>
  `;
}

function Bot({ attempt }) {
  const { state, sessions, lines } = find("bot", "bot");
  const runs = state !== "offline";
  return html`
    <section aria-label="Bot">
      <h2>Bot</h2>
      <p class="state">
        <span class=${`lamp ${state}`} aria-hidden="true"></span>
        <span role="status">${state}</span>
        <button type="button" class="act danger" disabled=${!runs} onClick=${() => attempt("kill")}>
          kill -9
        </button>
        <button type="button" class="act" disabled=${runs} onClick=${() => attempt("start")}>
          Start
        </button>
      </p>
      <p class="none">Gateway: ${sessions.begun} begun, ${sessions.resumed} resumed</p>
      ${lines.length > 0 && html`<pre class="lines" tabindex="0" aria-label="Its last lines">${lines.join("\n")}</pre>`}
    </section>
  `;
}

function Ledger() {
  const edits = list("edit").toReversed();
  const { held, captured, voided } = find("sums", "sums");
  return html`
    <section aria-label="Ledger">
      <h2>Ledger</h2>
      <dl class="sums">
        <div><dt>Held</dt><dd>${held}</dd></div>
        <div><dt>Captured</dt><dd>${captured}</dd></div>
        <div><dt>Voided</dt><dd>${voided}</dd></div>
      </dl>
      ${
        edits.length > 0
          ? html`<ol class="edits" tabindex="0" aria-label="Edits, newest first">
            ${edits.map((edit) => html`<${Edit} key=${edit.id} edit=${edit} />`)}
          </ol>`
          : html`<p class="none">No edit yet. Run <kbd>/edit</kbd>.</p>`
      }
    </section>
  `;
}

function Edit({ edit }) {
  const steps = edit.steps.filter(({ name }) => name in STEPS);
  return html`
    <li>
      <p>${userName(edit.member)} <time datetime=${edit.at}>${clock(edit.at)}</time></p>
      <ol class="steps">
        ${steps.map(
          (step, index) =>
            html`<li key=${index} class=${STEPS[step.name].look ?? ""}>${wordsOf(step)}</li>`,
        )}
      </ol>
    </li>
  `;
}

/** A step as "held 8", "voided 8 · api failed" or "refused · cannot afford". */
function wordsOf(step) {
  const { word, number } = STEPS[step.name];
  const why = step.reason ?? step.refusal;
  const plain = why
    ?.replaceAll("_", " ")
    .replace(/(?<=[a-z])(?=[A-Z])/g, " ")
    .toLowerCase();
  const counted = number && step[number] !== undefined ? `${word} ${step[number]}` : word;
  return plain ? `${counted} · ${plain}` : counted;
}

function Troubles({ attempt }) {
  const switches = list("switch");
  const sides = [...new Set(switches.map(({ side }) => side))];
  const on = switches.filter((each) => each.on).length;
  return html`
    <section aria-label="What can go wrong">
      <details>
        <summary><h2>What can go wrong</h2>${on > 0 && html`<span class="badge">${on} on</span>`}</summary>
        ${sides.map(
          (side) => html`
            <fieldset key=${side}>
              <legend>${side}</legend>
              ${switches.filter((each) => each.side === side).map((each) => html`<${Switch} key=${each.name} it=${each} attempt=${attempt} />`)}
            </fieldset>
          `,
        )}
      </details>
    </section>
  `;
}

function Switch({ it, attempt }) {
  const turn = () => attempt("switch", { name: it.name, on: !it.on });
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
        ${exchanges.map((each) => html`<${Exchange} key=${each.id} it=${each} />`)}
      </ol>
    </section>
  `;
}

function Exchange({ it }) {
  const pending = it.milliseconds === null;
  const bad = !pending && (it.status === null || it.status >= 400);
  return html`
    <li title=${`${clock(it.at)} to ${it.to}: ${it.method} ${it.path}`}>
      <span class="to">${it.to}</span>
      <span class="method">${it.method}</span>
      <span class="path">${shorten(it.path)}</span>
      <span class=${bad ? "status bad" : "status"}>${pending ? "…" : (it.status ?? "cut")}</span>
      <span class="time">${pending ? "" : `${it.milliseconds} ms`}</span>
    </li>
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
