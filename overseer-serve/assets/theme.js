// Light and dark: what the system prefers, unless somebody chose.

import { by } from './dom.js';

const KEY = 'overseer-theme';
const dark = matchMedia('(prefers-color-scheme: dark)');

export function startTheme(redraw) {
  const apply = () => {
    const chosen = localStorage.getItem(KEY);
    document.documentElement.dataset.theme = chosen ?? (dark.matches ? 'dark' : 'light');
    redraw();
  };
  by('theme').addEventListener('click', () => {
    const now = document.documentElement.dataset.theme;
    localStorage.setItem(KEY, now === 'dark' ? 'light' : 'dark');
    apply();
  });
  dark.addEventListener('change', apply);
  apply();
}
