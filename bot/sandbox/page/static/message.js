/** A message as Discord draws it. */

import { Avatar } from "./avatar.js";
import { Components } from "./components.js";
import { act } from "./connection.js";
import { Embed } from "./embeds.js";
import { Extras } from "./extras.js";
import { Dots, Wrong } from "./feedback.js";
import { Markdown } from "./markdown.js";
import { Attachments } from "./media.js";
import { find, list } from "./store.js";
import { MessageTime, sayWhen } from "./times.js";
import { html, useState } from "./vendor/preact-htm.js";
import { userName } from "./world.js";

const EMBEDS_HIDDEN = 1 << 2;
const THINKING = 1 << 7;
const REPLY = 0;

/**
 * A message as `person` sees it. A grouped one follows another of the same author and has no head;
 * `toolbar` is drawn at its top right while it is pointed at or holds the focus.
 */
export function Message({ message, person, grouped = false, toolbar }) {
  const { author, sandbox = {} } = message;
  const name = userName(author.id);
  const above = sandbox.command || message.message_reference?.type === REPLY;
  const headed = !grouped || above;
  const classes = [
    "message",
    headed ? "headed" : "grouped",
    mentions(message, person) && "mentioning",
  ];
  const label = `${name}, ${sayWhen(new Date(message.timestamp))}${sandbox.only ? ", only you can see this" : ""}`;
  return html`
    <article class=${classes.filter(Boolean).join(" ")} id=${`message-${message.id}`} aria-label=${label}>
      <${Above} message=${message} />
      ${headed && html`<${Avatar} user=${author.id} />`}
      <div class="message-body">
        ${
          headed
            ? html`
              <header>
                <span class="name">${name}</span>
                ${author.bot && html`<span class="badge">APP</span>`}
                <${MessageTime} iso=${message.timestamp} />
              </header>
            `
            : html`<${MessageTime} iso=${message.timestamp} brief />`
        }
        ${message.flags & THINKING ? html`<${Thinking} name=${name} />` : html`<${Body} message=${message} person=${person} />`}
        ${failed(message, person) && html`<${Wrong} error="This interaction failed" />`}
        ${sandbox.only && html`<${OnlyYou} message=${message} person=${person} />`}
      </div>
      ${toolbar && html`<div class="toolbar">${toolbar}</div>`}
    </article>
  `;
}

/** What a message holds, without whose it is: a forwarded one is drawn by this too. */
function Body({ message, person }) {
  const {
    content,
    embeds = [],
    attachments = [],
    components = [],
    message_snapshots = [],
  } = message;
  const shown = message.flags & EMBEDS_HIDDEN ? [] : embeds;
  const parts = [content, ...shown, ...attachments, ...components, ...message_snapshots];
  return html`
    ${content && html`<div class="content"><${Markdown} text=${content} /><${Edited} message=${message} /></div>`}
    ${message_snapshots.map(({ message: forwarded }) => html`<${Forwarded} message=${forwarded} person=${person} />`)}
    ${attachments.length > 0 && html`<${Attachments} attachments=${attachments} flags=${message.flags} />`}
    ${shown.map((embed) => html`<${Embed} embed=${embed} />`)}
    ${components.length > 0 && html`<div class="components"><${Components} ...${{ components, message, person }} /></div>`}
    <${Extras} message=${message} alone=${!parts.some(Boolean)} />
    ${!content && html`<${Edited} message=${message} />`}
  `;
}

function Edited({ message }) {
  if (!message.edited_timestamp) return null;
  const when = sayWhen(new Date(message.edited_timestamp));
  return html`<span class="edited" title=${when}>(edited)</span>`;
}

function Thinking({ name }) {
  return html`<div class="thinking"><${Dots} /> ${name} is thinking…</div>`;
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
        <span><strong>${userName(by)}</strong> used <span class="mention">${command}</span></span>
      </div>
    `;
  }
  if (message.message_reference?.type !== REPLY) return null;
  const original = find("message", message.message_reference.message_id);
  if (!original) return html`<div class="above"><em>Original message was deleted</em></div>`;
  return html`
    <div class="above">
      <span class="visually-hidden">Reply to</span>
      <${Avatar} user=${original.author.id} size=${16} />
      <strong>${userName(original.author.id)}</strong>
      <span class="above-text"><${Markdown} text=${original.content || "Click to see attachment"} inline /></span>
    </div>
  `;
}

function OnlyYou({ message, person }) {
  const [error, setError] = useState(null);
  function dismiss() {
    act("dismiss", { message: message.id, member: person }).catch((problem) =>
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
    <svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true" fill="none" stroke="currentColor">
      <path d="M1 8q7-9 14 0q-7 9-14 0z" />
      <circle cx="8" cy="8" r="2" fill="currentColor" />
    </svg>
  `;
}

function failed(message, person) {
  return list("interaction").some(
    (each) => each.source === message.id && each.member === person && each.state === "failed",
  );
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
