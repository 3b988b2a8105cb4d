/** The line to the sandbox: records come in, what a person does goes out and is answered. */

import { take, takeAll } from "./store.js";

const RETRY_MS = 1000;
const FORBIDDEN = 403;
const NO_ANSWER = "The sandbox does not answer.";
const token = new URLSearchParams(location.search).get("token");
const waiting = new Map();
const watchers = new Set();
let socket;
let sent = 0;

/**
 * Connect, and connect again whenever the line is cut; `watch` is told how it stands: "open",
 * "cut", or "old" where the sandbox was started anew and has another address now.
 */
export function connect(watch) {
  watchers.add(watch);
  if (!socket) open();
}

function open() {
  socket = new WebSocket(`ws://${location.host}/socket?token=${token}`);
  socket.onopen = () => tell("open");
  socket.onmessage = ({ data }) => receive(JSON.parse(data));
  socket.onclose = async () => {
    for (const { reject } of waiting.values()) reject(new Error(NO_ANSWER));
    waiting.clear();
    tell((await isRefused()) ? "old" : "cut");
    setTimeout(open, RETRY_MS);
  };
}

/** Whether somebody listens there who does not know the page's token. */
function isRefused() {
  return fetch(location.href, { method: "HEAD" }).then(
    ({ status }) => status === FORBIDDEN,
    () => false,
  );
}

function receive(message) {
  if (message.all) takeAll(message.all);
  else if (message.changes) take(message.changes);
  else {
    const { resolve, reject } = waiting.get(message.reply) ?? {};
    waiting.delete(message.reply);
    if (message.error === undefined) resolve?.(message.value);
    else reject?.(new Error(message.error));
  }
}

/** Do something in the sandbox; rejects with an Error that says what is wrong with it. */
export function act(action, fields) {
  return new Promise((resolve, reject) => {
    if (socket?.readyState !== WebSocket.OPEN) {
      reject(new Error(NO_ANSWER));
      return;
    }
    sent += 1;
    waiting.set(sent, { resolve, reject });
    socket.send(JSON.stringify({ number: sent, action, ...fields }));
  });
}

/** Send a file; returns what stands for it in an action. */
export async function upload(file) {
  const query = new URLSearchParams({ token, name: file.name });
  const response = await fetch(`/uploads?${query}`, { method: "POST", body: file });
  if (!response.ok) throw new Error(await response.text());
  return response.text();
}

function tell(line) {
  for (const watch of watchers) watch(line);
}
