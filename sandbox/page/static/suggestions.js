/** What the bot suggests for the option that is being written. */

import { isFile, optionOf, wrongWith } from "./command_line.js";
import { act } from "./connection.js";
import { useEffect, useState } from "./vendor/preact-htm.js";

/** Milliseconds without a key before the bot is asked, so that not every letter asks it. */
const PAUSE_MS = 150;

/** `{items, hint}` for the active option, if it is one for which the bot suggests something. */
export function useSuggestions(line, place) {
  const [found, setFound] = useState({ items: [] });
  const option = line && optionOf(line);
  const asks = Boolean(option?.autocomplete);
  useEffect(() => {
    if (!asks) return undefined;
    let current = true;
    const ask = async () => {
      try {
        const items = await act("complete", { ...place, ...requestOf(line) });
        if (current) setFound({ items, hint: items.length ? "" : "No options match your search." });
      } catch (error) {
        if (current) setFound({ items: [], hint: error.message });
      }
    };
    setFound({ items: [], hint: "Loading options…" });
    const timer = setTimeout(ask, PAUSE_MS);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [asks && line.active, line?.typed, line?.given]);
  return found;
}

/** The options as they stand, without files and without what is still wrong. */
function requestOf(line) {
  const { command, path, options } = line.entry;
  const given = options
    .filter((option) => option.name in line.given)
    .filter((option) => !isFile(option) && !wrongWith(line, option))
    .map(({ name }) => [name, line.given[name].value]);
  return {
    command: command.id,
    path,
    options: { ...Object.fromEntries(given), [line.active]: line.typed },
    focused: line.active,
  };
}
