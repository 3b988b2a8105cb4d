/** One channel as one person sees it: its messages, and the composer under them. */

import { Composer } from "./composer.js";
import { act } from "./connection.js";
import { giveFiles } from "./files.js";
import { MessageMenu } from "./menu.js";
import { Message } from "./message.js";
import { find, list, useRecords } from "./store.js";
import { html, useLayoutEffect, useRef } from "./vendor/preact-htm.js";
import { CHANNEL } from "./world.js";

/** A person's messages stand together if no more time than this lies between them. */
const TOGETHER_MS = 7 * 60 * 1000;
/** How near to its end, in pixels, a log must be to follow what is new. */
const NEAR = 80;

export function Channel({ channel, person }) {
  useRecords();
  const messages = list("message").filter(
    (each) => each.channel_id === channel.id && [null, person].includes(each.sandbox.only),
  );
  const sent = list("interaction").filter(
    (each) => each.channel === channel.id && each.member === person && !each.source && !each.form,
  );
  const log = useFollowing();
  return html`
    <div class="log" role="log" aria-label=${`Messages in ${channel.name}`} tabindex="0" ref=${log}>
      <${Beginning} channel=${channel} />
      ${messages.map(
        (message, index) => html`
          <${Message}
            key=${message.id}
            message=${message}
            person=${person}
            grouped=${belongs(message, messages[index - 1])}
            toolbar=${html`<${MessageMenu} message=${message} channel=${channel} person=${person} />`}
          />
        `,
      )}
      ${sent.map((each) => html`<${Sent} key=${each.id} interaction=${each} />`)}
    </div>
    <${Composer} key=${person} channel=${channel} person=${person} />
  `;
}

function Beginning({ channel }) {
  const bot = find("setup", "setup").application;
  if (channel.type === CHANNEL.DIRECT) {
    return html`
      <div class="beginning">
        <h2>${bot}</h2>
        <p>This is the beginning of your direct messages with ${bot}.</p>
      </div>
    `;
  }
  return html`
    <div class="beginning">
      <h2>Welcome to ${channel.name}!</h2>
      <p>
        Drop a picture here, type <kbd>/edit</kbd>, say what to change, and press <kbd>Enter</kbd>.
      </p>
      <p>
        <button type="button" class="plain" onClick=${takeSample}>Take a sample picture</button>
      </p>
    </div>
  `;
}

/** Hand a picture to the composer, for whoever has none at hand. */
async function takeSample() {
  const response = await fetch("/static/demo.jpg");
  giveFiles([new File([await response.blob()], "sample.jpg", { type: "image/jpeg" })]);
}

/** What a person did that the bot has not answered yet, or not in time. */
function Sent({ interaction }) {
  const bot = find("setup", "setup").application;
  const failed = interaction.state === "failed";
  return html`
    <p class=${failed ? "sent failed" : "sent"} role="status">
      ${failed ? `${interaction.label}: The application did not respond` : `Sending ${interaction.label} to ${bot}…`}
      ${
        failed &&
        html`<button
          type="button"
          class="plain"
          onClick=${() => act("dismiss", { interaction: interaction.id })}
        >
          Dismiss message
        </button>`
      }
    </p>
  `;
}

/** Whether a message stands with the one before it, under the same name. */
function belongs(message, before) {
  return (
    before !== undefined &&
    message.author.id === before.author.id &&
    message.type === 0 &&
    before.sandbox.only === message.sandbox.only &&
    Date.parse(message.timestamp) - Date.parse(before.timestamp) < TOGETHER_MS
  );
}

/** Keep a log at its end when something is added or grows, unless somebody scrolled up in it. */
function useFollowing() {
  const log = useRef(null);
  const following = useRef(true);
  useLayoutEffect(() => {
    const element = log.current;
    const note = () => {
      following.current = element.scrollHeight - element.scrollTop - element.clientHeight < NEAR;
    };
    const settle = () => {
      if (following.current) element.scrollTop = element.scrollHeight;
    };
    element.addEventListener("scroll", note);
    element.addEventListener("load", settle, true);
    return () => {
      element.removeEventListener("scroll", note);
      element.removeEventListener("load", settle, true);
    };
  }, []);
  useLayoutEffect(() => {
    if (following.current) log.current.scrollTop = log.current.scrollHeight;
  });
  return log;
}
