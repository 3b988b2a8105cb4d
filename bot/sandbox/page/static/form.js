export function Form(){return null}
