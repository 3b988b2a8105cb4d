/** Who the person at this tab is, where they look, and how: kept over a reload, each tab its own. */

import { list } from "./store.js";
import { useEffect, useState } from "./vendor/preact-htm.js";
import { CHANNEL } from "./world.js";

const KEY = "view";

/** The tab's `{person, channel}` with everything that is not there any more put right. */
export function useView() {
  const [chosen, choose] = useState(() => JSON.parse(sessionStorage.getItem(KEY) ?? "{}"));
  useEffect(() => sessionStorage.setItem(KEY, JSON.stringify(chosen)), [chosen]);
  const people = list("user").filter((user) => user.part);
  const person = people.find((user) => user.id === chosen.person) ?? people[0];
  const channels = list("channel").filter((channel) => channel.rights[person?.id]?.see);
  const channel =
    channels.find((each) => each.id === chosen.channel) ??
    sameKindOfPlace(chosen.channel, channels) ??
    channels[0];
  return {
    people,
    person,
    channels,
    channel,
    become: (id) => choose({ channel: channel.id, person: id }),
    go: (id) => choose({ person: person.id, channel: id }),
  };
}

/** Somebody else's direct messages stand where the last person's stood. */
function sameKindOfPlace(id, channels) {
  const gone = list("channel").find((channel) => channel.id === id);
  return channels.find((channel) => gone?.type === CHANNEL.DIRECT && channel.type === gone.type);
}

/** The theme, "dark" or "light" as `theme.js` set it, and what switches it. */
export function useTheme() {
  const page = document.documentElement.dataset;
  const [theme, setTheme] = useState(page.theme);
  const toggle = () => {
    page.theme = theme === "dark" ? "light" : "dark";
    localStorage.setItem("theme", page.theme);
    setTheme(page.theme);
  };
  return [theme, toggle];
}
