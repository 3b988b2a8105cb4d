/**
 * What else a message object may hold. Nothing of it is passed over in silence: it is drawn as
 * text, or said to be not drawn.
 */

import { html } from "./vendor/preact-htm.js";
import { emojiText } from "./world.js";

const FLAGS = [
  [1 << 0, "Published to other servers"],
  [1 << 1, "Published from another server"],
  [1 << 5, "A thread was started from this message"],
  [1 << 12, "Sent without a notification"],
];
const TYPES_DRAWN = new Set([0, 19, 20, 23]);

// Drawn elsewhere, or nothing to be seen in Discord either.
const DRAWN = new Set([
  "id",
  "type",
  "channel_id",
  "guild_id",
  "author",
  "member",
  "content",
  "timestamp",
  "edited_timestamp",
  "mention_everyone",
  "mentions",
  "mention_roles",
  "mention_channels",
  "attachments",
  "embeds",
  "components",
  "flags",
  "nonce",
  "application_id",
  "webhook_id",
  "interaction",
  "interaction_metadata",
  "message_reference",
  "referenced_message",
  "message_snapshots",
  "position",
  "resolved",
  "sandbox",
  "pinned",
]);

const EXTRAS = {
  tts: () => "Read aloud (text to speech)",
  activity: (activity) => `Invitation to an activity (type ${activity.type}): not drawn here`,
  application: (application) => `Application “${application.name}”: not drawn here`,
  call: (call) => `Call with ${call.participants.length} participants: not drawn here`,
  thread: (thread) => `Thread “${thread.name}”`,
  reactions: (reactions) => html`
    ${reactions.map(
      ({ emoji, count, me }) =>
        html`<span class="reaction ${me ? "mine" : ""}">${emojiText(emoji)} ${count}</span>`,
    )}
  `,
};

/** Everything of a message that has no drawing of its own; `alone` where nothing else is drawn. */
export function Extras({ message, alone }) {
  const notes = [
    ...(TYPES_DRAWN.has(message.type ?? 0)
      ? []
      : [`Message of type ${message.type}: not drawn here`]),
    ...Object.keys(message)
      .filter((key) => !DRAWN.has(key) && holds(message[key]))
      .map((key) => EXTRAS[key]?.(message[key]) ?? `${key}: not drawn here`),
    ...FLAGS.filter(([bit]) => message.flags & bit).map(([, words]) => words),
  ];
  if (alone && notes.length === 0) notes.push("This message holds nothing that could be drawn.");
  return notes.map((note) => html`<div class="extra">${note}</div>`);
}

function holds(value) {
  return Array.isArray(value) ? value.length > 0 : Boolean(value);
}
