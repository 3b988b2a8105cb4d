/** One channel as one person sees it: its messages, and the composer under them. */

import { Composer } from "./composer.js";
import { giveFiles } from "./files.js";
import { MessageMenu } from "./menu.js";
import { Message } from "./message.js";
import { find, list } from "./store.js";
import { html, useLayoutEffect, useMemo, useRef, useState } from "./vendor/preact-htm.js";
import { CHANNEL } from "./world.js";

/** A person's messages stand together if no more time than this lies between them. */
const TOGETHER_MS = 7 * 60 * 1000;
/** How near to its end, in pixels, a log must be to follow what is new. */
const NEAR = 80;
const EPHEMERAL = 1 << 6;
const COMMAND_ANSWER = 20;

export function Channel({ channel, person }) {
  const messages = [...messagesIn(channel, person), ...unanswered(channel, person)].sort(byId);
  const mine = messages.findLast((message) => isBy(message, person))?.id;
  const [log, away, toEnd] = useFollowing(mine);
  return html`
    <div class="log" role="log" aria-label=${`Messages in ${channel.name}`} tabindex="0" ref=${log}>
      <div class="messages">
        <${Beginning} channel=${channel} />
        ${messages.map(
          (message, index) => html`
            <${Entry}
              key=${message.id}
              ...${{ message, channel, person }}
              grouped=${belongs(message, messages[index - 1])}
            />
          `,
        )}
      </div>
    </div>
    ${
      away &&
      html`<button type="button" class="to-end" onClick=${toEnd}>
        You are looking at older messages. <strong>Jump to the newest</strong>
      </button>`
    }
    <${Composer} key=${person} channel=${channel} person=${person} />
  `;
}

/** One message, drawn again only when something of it has changed. */
function Entry({ message, channel, person, grouped }) {
  const interactions = list("interaction").filter(
    (each) => each.source === message.id && each.member === person,
  );
  const state = interactions.map(({ custom_id, state }) => `${custom_id} ${state}`).join();
  return useMemo(
    () => html`
      <${Message}
        message=${{ ...message, interactions }}
        ...${{ person, grouped }}
        toolbar=${
          !message.sandbox.interaction &&
          html`<${MessageMenu} message=${message} channel=${channel} person=${person} />`
        }
      />
    `,
    [message, channel, person, grouped, state],
  );
}

function messagesIn(channel, person) {
  return list("message").filter(
    (each) => each.channel_id === channel.id && [null, person].includes(each.sandbox.only),
  );
}

/** What a person did that the bot has not answered yet, or not in time, as messages of the bot. */
function unanswered(channel, person) {
  const commands = list("interaction").filter(
    (each) => each.channel === channel.id && each.member === person && !each.source && !each.form,
  );
  return commands.map(({ id, label, state, at }) => ({
    id,
    channel_id: channel.id,
    author: { id: find("setup", "setup").bot, bot: true },
    type: COMMAND_ANSWER,
    timestamp: at,
    flags: EPHEMERAL,
    sandbox: { only: person, by: person, command: label, interaction: id, state },
  }));
}

function isBy(message, person) {
  return message.author.id === person || message.sandbox.by === person;
}

/** Ids are times: the longer is the later, and of two as long the one that sorts later. */
function byId(one, other) {
  return one.id.length - other.id.length || (one.id < other.id ? -1 : 1);
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
        Drop an image here, type <kbd>/edit</kbd>, say what to change, and press <kbd>Enter</kbd>.
      </p>
      <p>
        <button type="button" class="plain" onClick=${takeSample}>Use a sample image</button>
      </p>
    </div>
  `;
}

/** Give the composer a sample image. */
async function takeSample() {
  const response = await fetch(new URL("demo.jpg", import.meta.url));
  giveFiles([new File([await response.blob()], "sample.jpg", { type: "image/jpeg" })]);
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

/**
 * Keep a log at its end when something is added or grows, unless somebody scrolled up in it; what
 * they did themselves, the latest of it `mine`, brings them back.
 */
function useFollowing(mine) {
  const log = useRef(null);
  const following = useRef(true);
  const [away, setAway] = useState(false);
  const follow = (now) => {
    following.current = now;
    setAway(!now);
  };
  const toEnd = () => {
    follow(true);
    log.current.scrollTop = log.current.scrollHeight;
  };
  useLayoutEffect(() => {
    const element = log.current;
    const note = () =>
      follow(element.scrollHeight - element.scrollTop - element.clientHeight < NEAR);
    const settle = new ResizeObserver(() => following.current && toEnd());
    element.addEventListener("scroll", note);
    settle.observe(element);
    settle.observe(element.firstElementChild);
    return () => {
      element.removeEventListener("scroll", note);
      settle.disconnect();
    };
  }, []);
  useLayoutEffect(toEnd, [mine]);
  return [log, away, toEnd];
}
