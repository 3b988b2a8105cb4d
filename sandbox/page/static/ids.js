/** Ids by which one element names another. */

import { useState } from "./vendor/preact-htm.js";

let made = 0;

/** An id of the component's own, the same whenever it is drawn. */
export function useId() {
  const [id] = useState(() => `id-${++made}`);
  return id;
}
