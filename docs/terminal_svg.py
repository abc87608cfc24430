#!/usr/bin/env python3
"""Draws terminal text as an SVG: overseer analyze | python3 docs/terminal_svg.py 'overseer analyze' > docs/report.svg"""
import html
import sys

command, lines = sys.argv[1], sys.stdin.read().rstrip("\n").split("\n")
COLUMN, LINE, PAD = 7.8, 17, 16
headings = ("Now", "Next", "Patterns", "Advice", "Learned", "Notes")
width = int(max(map(len, [command, *lines])) * COLUMN + 2 * PAD)
height = int((len(lines) + 2) * LINE + 2 * PAD)
print(f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
      f'viewBox="0 0 {width} {height}" font-family="ui-monospace, Menlo, Consolas, monospace" font-size="13">')
print(f'<rect width="{width}" height="{height}" rx="8" fill="#16181d"/>')
for i, line in enumerate([f"$ {command}", "", *lines]):
    bold = line in headings or i == 0
    color = "#ffffff" if bold else "#7ee787" if line.strip() == "normal" else "#c9d1d9"
    weight = ' font-weight="bold"' if bold else ""
    print(f'<text x="{PAD}" y="{PAD + (i + 1) * LINE - 4}" fill="{color}"{weight} '
          f'xml:space="preserve">{html.escape(line)}</text>')
print("</svg>")
