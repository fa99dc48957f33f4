"""Colours and the gallery's style sheet. It asks for no theme: text and lines take the colour that surrounds them."""

from __future__ import annotations

COLOURS = ("#e69f00", "#56b4e9", "#00c48c", "#f0e442", "#3d8bfd", "#ff6b35", "#e58bc4", "#b8b8b8")
"""Okabe and Ito's colours, the darker ones lightened, since they lie on photographs under a dark rim."""
LINKS = 16
"""So many classes or phrases of one picture can be pointed at."""

_BASE = """
.dh-gallery{margin:1em 0;color:inherit}
.dh-gallery .dh-note{margin:.3em 0;font-size:.9em}
.dh-gallery .dh-tools{display:flex;flex-wrap:wrap;gap:.2em 1em;border:0;padding:0;margin:.5em 0}
.dh-gallery .dh-tools legend{float:left;padding:.3em .6em .3em 0;font-weight:600;width:auto;font-size:1em}
.dh-gallery .dh-tools label{display:inline-flex;align-items:center;gap:.4em;min-height:2em;cursor:pointer;margin:0}
.dh-gallery input{width:1.15em;height:1.15em;margin:0}
.dh-gallery .dh-grid{columns:260px;column-gap:1em}
.dh-gallery figure{margin:0 0 1em;padding:0;break-inside:avoid;
border:1px solid color-mix(in srgb,currentColor 25%,transparent);
border-radius:6px;overflow:hidden}
.dh-gallery .dh-pic{position:relative;line-height:0;background:#808080}
.dh-gallery .dh-pic img{width:100%;height:auto;display:block;margin:0;border-radius:0;max-width:none;padding:0}
.dh-gallery .dh-pic svg{position:absolute;inset:0;width:100%;height:100%;overflow:hidden;pointer-events:none}
.dh-gallery .b{fill:none;stroke:var(--c);stroke-width:2;filter:drop-shadow(0 0 1px #000)}
.dh-gallery .b.w{stroke-dasharray:5 3}
.dh-gallery .m{fill:var(--c);fill-opacity:.35;fill-rule:evenodd;stroke:var(--c);stroke-width:.8}
.dh-gallery .j{stroke:var(--c);stroke-width:2;fill:none;filter:drop-shadow(0 0 1px #000)}
.dh-gallery .j circle{fill:#fff;stroke:#000;stroke-width:.8}
.dh-gallery .j circle.h{fill:#000;stroke:#fff}
.dh-gallery .n{font-family:system-ui,sans-serif;font-weight:600;fill:#fff;stroke:#000;stroke-width:3;paint-order:stroke}
.dh-gallery .dh-classes{display:flex;flex-wrap:wrap;gap:.3em;padding:.5em .6em 0}
.dh-gallery button{font:inherit;color:inherit;background:none;cursor:pointer}
.dh-gallery .dh-chip{display:inline-flex;align-items:center;gap:.35em;font-size:.85em;min-height:24px;padding:0 .55em;
border:1px solid color-mix(in srgb,currentColor 35%,transparent);border-radius:12px}
.dh-gallery .dh-chip::before{content:"";width:.75em;height:.75em;border-radius:50%;background:var(--c);
border:1px solid currentColor}
.dh-gallery .dh-phrase{border:0;border-bottom:2px dotted currentColor;padding:0;min-height:24px;margin:1px 2px;
text-align:left}
.dh-gallery .dh-captions{margin:.5em .6em 0;padding:0 0 0 1.1em;font-size:.9em;line-height:1.5}
.dh-gallery figcaption{font-size:.8em;padding:.5em .6em .6em;margin:auto 0 0;text-align:left;line-height:1.6}
.dh-gallery figcaption .dh-id{font-weight:600}
.dh-gallery a{color:inherit;text-decoration:underline}
"""
_SHAPES = {
    "boxes": ".b,.n",
    "masks": ".m.k-masks",
    "stuff": ".m.k-stuff",
    "keypoints": ".j",
    "panoptic": ".m.k-panoptic",
}


def _style() -> str:
    rules = [_BASE.replace("\n", "")]
    rules += [f".dh-gallery .p{index}{{--c:{colour}}}" for index, colour in enumerate(COLOURS)]
    hide = {**_SHAPES, "captions": ".dh-captions", "classes": ".dh-classes:not(.t-all)"}
    for kind, shapes in hide.items():
        targets = ",".join(f".dh-gallery:has(.t-{kind}:not(:checked)) {shape}" for shape in shapes.split(","))
        rules.append(f"{targets}{{display:none}}")
    # Pointing at a class or phrase shows its own overlays alone, even those that are switched off.
    for number in range(LINKS):
        pointed = f".dh-gallery .dh-fig:has(.q{number}:is(:hover,:focus))"
        rules.append(f"{pointed} .o:not(.k{number}){{opacity:.1}}")
        rules.append(f"{pointed} .b.k{number}{{display:inline!important;stroke-width:4}}")
    rules.append(".dh-gallery button:is(:hover,:focus){background:color-mix(in srgb,currentColor 15%,transparent)}")
    return "".join(rules)


STYLE = _style()
