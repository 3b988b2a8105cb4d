/** Lookups among the records: who and what an id stands for. */

import { find, list } from "./store.js";

export const CHANNEL = { TEXT: 0, DIRECT: 1, THREAD: 11 };

/** A member's name as it is shown, or a word for somebody unknown. */
export function userName(id) {
  return find("user", id)?.name ?? "unknown-user";
}

/** A role's name in whichever server has it. */
export function roleName(id) {
  return findRole(id)?.name ?? "deleted-role";
}

function findRole(id) {
  for (const guild of list("guild")) {
    const role = guild.roles.find((each) => each.id === id);
    if (role) return role;
  }
  return undefined;
}

export function channelName(id) {
  return find("channel", id)?.name ?? "unknown";
}

/** The members of a channel's server, or those of direct messages: `{id, name, bot}` each. */
export function membersOf(channel) {
  const guild = find("guild", channel.guild);
  const ids = guild ? Object.keys(guild.members) : [channel.recipient, find("setup", "setup").bot];
  return ids.map((id) => find("user", id));
}

/** The roles of a channel's server, @everyone's first: `{id, name, color}` each. */
export function rolesOf(channel) {
  return find("guild", channel.guild)?.roles ?? [];
}

/** The channels and threads of a channel's server that somebody sees. */
export function channelsSeen(channel, person) {
  return list("channel").filter(
    (each) => each.guild && each.guild === channel.guild && each.rights[person]?.see,
  );
}

/** An emoji object as text: those of a server's own are not loaded, only named. */
export function emojiText(emoji) {
  return emoji.id ? `:${emoji.name}:` : emoji.name;
}
