/** Times as Discord writes them. */

import { html, useEffect, useReducer } from "./vendor/preact-htm.js";

const SHORT = { dateStyle: "short" };
const LONG = { dateStyle: "long" };
const FULL = { dateStyle: "full" };
const CLOCK = { timeStyle: "short" };
const SECONDS = { timeStyle: "medium" };
const STYLES = {
  t: CLOCK,
  T: SECONDS,
  d: SHORT,
  D: LONG,
  f: { ...LONG, ...CLOCK },
  F: { ...FULL, ...CLOCK },
  s: { ...SHORT, ...CLOCK },
  S: { ...SHORT, ...SECONDS },
};
const UNITS = [
  ["year", 31_536_000],
  ["month", 2_592_000],
  ["day", 86_400],
  ["hour", 3600],
  ["minute", 60],
  ["second", 1],
];
const RELATIVE = new Intl.RelativeTimeFormat("en");

/** A time in a text, `<t:…>`: seconds since 1970 in one of Discord's styles. */
export function Timestamp({ seconds, style = "f" }) {
  const date = new Date(seconds * 1000);
  if (Number.isNaN(date.getTime())) return "Invalid Date";
  return html`
    <time class="timestamp" datetime=${date.toISOString()} title=${write(date, "F")}>
      ${style === "R" ? html`<${Relative} date=${date} />` : write(date, style)}
    </time>
  `;
}

/** When a message came, as its head says it; `brief` is the hour alone. */
export function MessageTime({ iso, brief = false }) {
  const date = new Date(iso);
  return html`
    <time class="message-time" datetime=${iso} title=${write(date, "F")}>
      ${brief ? write(date, "t") : sayWhen(date)}
    </time>
  `;
}

/** The day and hour of a time, the day left out when it is today. */
export function sayWhen(date) {
  const day = new Date();
  if (date.toDateString() === day.toDateString()) return write(date, "t");
  day.setDate(day.getDate() - 1);
  if (date.toDateString() === day.toDateString()) return `Yesterday at ${write(date, "t")}`;
  return write(date, "s");
}

function write(date, style) {
  return new Intl.DateTimeFormat("en", STYLES[style]).format(date);
}

function Relative({ date }) {
  const [, redraw] = useReducer((count) => count + 1, 0);
  const seconds = Math.round((date.getTime() - Date.now()) / 1000);
  const [unit, size] = UNITS.find(([, each]) => Math.abs(seconds) >= each) ?? UNITS.at(-1);
  useEffect(() => {
    const timer = setInterval(redraw, unit === "second" ? 1000 : 60_000);
    return () => clearInterval(timer);
  }, [unit]);
  return RELATIVE.format(Math.trunc(seconds / size), unit);
}
