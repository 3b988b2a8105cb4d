/** Sets the theme before anything is drawn: the one that was chosen here, or else the system's. */

const system = matchMedia("(prefers-color-scheme: light)").matches ? "light" : "dark";
document.documentElement.dataset.theme = localStorage.getItem("theme") ?? system;
