/** A message as Discord draws it. */

import { Avatar } from "./avatar.js";
import { Components } from "./components.js";
import { act } from "./connection.js";
import { Embed } from "./embeds.js";
import { Extras } from "./extras.js";
import { Dots, Wrong } from "./feedback.js";
import { goHome } from "./focus.js";
import { Markdown } from "./markdown.js";
import { Attachments } from "./media.js";
import { find } from "./store.js";
import { MessageTime, sayWhen } from "./times.js";
import { html, useState } from "./vendor/preact-htm.js";
import { userName } from "./world.js";

const EMBEDS_HIDDEN = 1 << 2;
const THINKING = 1 << 7;
const REPLY = 0;

/**
 * A message as `person` sees it; its `interactions` are those of that person with its components. A grouped one follows another of the same author and has no head;
 * `toolbar` is drawn at its top right while it is pointed at or holds the focus.
 */
export function Message({ message, person, grouped = false, toolbar }) {
  const { id, author, timestamp, sandbox = {} } = message;
  const name = userName(author.id);
  const failed = message.interactions?.some(({ state }) => state === "failed");
  const headed = !grouped || Boolean(sandbox.command) || isReply(message);
  const layout = headed ? "headed" : "grouped";
  const mentioning = mentions(message, person) ? "mentioning" : "";
  const label = [name, sayWhen(new Date(timestamp)), sandbox.only && "only you can see this"];
  return html`
    <article
      id=${`message-${id}`}
      class="message ${layout} ${mentioning}"
      aria-label=${label.filter(Boolean).join(", ")}
    >
      <${Above} message=${message} />
      ${headed && html`<${Avatar} user=${author.id} />`}
      <div class="message-body">
        ${
          headed
            ? html`<${Head} message=${message} name=${name} />`
            : html`<${MessageTime} iso=${timestamp} brief />`
        }
        <${Said} ...${{ message, person, name }} />
        ${failed && html`<${Wrong} error="This interaction failed" />`}
        ${sandbox.only && sandbox.state !== "sent" && html`<${OnlyYou} ...${{ message, person }} />`}
      </div>
      ${toolbar && html`<div class="toolbar">${toolbar}</div>`}
    </article>
  `;
}

function Head({ message, name }) {
  return html`
    <header>
      <span class="name">${name}</span>
      ${message.author.bot && html`<span class="badge">APP</span>`}
      <${MessageTime} iso=${message.timestamp} />
    </header>
  `;
}

/** What stands under the head: what the message holds, or what its author is about. */
function Said({ message, person, name }) {
  const { flags, sandbox = {} } = message;
  if (sandbox.state === "sent") return html`<${Waiting} words="Sending command…" />`;
  if (sandbox.state === "failed") return html`<${Wrong} error="The application did not respond" />`;
  if (flags & THINKING) return html`<${Waiting} words=${`${name} is thinking…`} />`;
  return html`<${Body} message=${message} person=${person} />`;
}

/** What a message holds, without whose it is: a forwarded one is drawn by this too. */
function Body({ message, person }) {
  const { content, flags, attachments = [], components = [], message_snapshots = [] } = message;
  const embeds = flags & EMBEDS_HIDDEN ? [] : (message.embeds ?? []);
  const alone = !content && [embeds, attachments, components, message_snapshots].every(isEmpty);
  const edited = html`<${Edited} message=${message} />`;
  // The last element always stands there: Preact puts one that appears in the frame in which a
  // pressed button changes above the components.
  return html`
    ${content && html`<div class="content"><${Markdown} text=${content} />${edited}</div>`}
    ${message_snapshots.map((snapshot) => html`<${Forwarded} ...${snapshot} person=${person} />`)}
    <${Attachments} attachments=${attachments} />
    ${embeds.map((embed) => html`<${Embed} embed=${embed} />`)}
    ${
      components.length > 0 &&
      html`<div class="components"><${Components} ...${{ components, message, person }} /></div>`
    }
    <${Extras} message=${message} alone=${alone} />
    <div>${!content && edited}</div>
  `;
}

function isEmpty(list) {
  return list.length === 0;
}

function Edited({ message }) {
  if (!message.edited_timestamp) return null;
  const when = sayWhen(new Date(message.edited_timestamp));
  return html`<span class="edited" title=${when}>(edited)</span>`;
}

function Waiting({ words }) {
  return html`<div class="thinking"><${Dots} /> ${words}</div>`;
}

function Forwarded({ message, person }) {
  return html`
    <div class="forwarded">
      <div class="forwarded-head">↱ Forwarded</div>
      <${Body} message=${message} person=${person} />
    </div>
  `;
}

/** The line above the head: which command this answers, or which message. */
function Above({ message }) {
  const { by, command } = message.sandbox ?? {};
  if (by && command) {
    return html`
      <div class="above">
        <${Avatar} user=${by} size=${16} />
        <strong>${userName(by)}</strong> used <span class="mention">${command}</span>
      </div>
    `;
  }
  if (!isReply(message)) return null;
  const original = find("message", message.message_reference.message_id);
  if (!original) return html`<div class="above"><em>Original message was deleted</em></div>`;
  return html`
    <div class="above">
      <span class="visually-hidden">Reply to</span>
      <${Avatar} user=${original.author.id} size=${16} />
      <strong>${userName(original.author.id)}</strong>
      <span class="above-text">
        <${Markdown} text=${original.content || "Click to see attachment"} inline />
      </span>
    </div>
  `;
}

function OnlyYou({ message, person }) {
  const [error, setError] = useState(null);
  function dismiss() {
    const { interaction } = message.sandbox;
    const what = interaction ? { interaction } : { message: message.id };
    act("dismiss", { ...what, member: person }).then(goHome, (problem) =>
      setError(problem.message),
    );
  }
  return html`
    <div class="only-you">
      <${Eye} /> Only you can see this •${" "}
      <button type="button" class="link" onClick=${dismiss}>Dismiss message</button>
    </div>
    <${Wrong} error=${error} />
  `;
}

function Eye() {
  return html`
    <svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true">
      <path d="M1 8q7-9 14 0q-7 9-14 0z" fill="none" stroke="currentColor" />
      <circle cx="8" cy="8" r="2" fill="currentColor" />
    </svg>
  `;
}

function isReply(message) {
  return message.message_reference?.type === REPLY;
}

function mentions(message, person) {
  const guild = find("guild", find("channel", message.channel_id)?.guild);
  const roles = guild?.members[person]?.roles ?? [];
  return (
    message.mention_everyone ||
    message.mentions?.some(({ id }) => id === person) ||
    message.mention_roles?.some((role) => roles.includes(role))
  );
}
