"""Draw ``_static/social.png``, the picture that other sites show beside a link to the book (1200 x 630).

Run by hand when the title or the colours change: ``python tools/social.py``. It is drawn, not photographed: beside
a link there is no room for a photograph's licence and credit.
"""

from __future__ import annotations

import io
import os
import shutil
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
PAGE = """<!DOCTYPE html><meta charset="utf-8"><style>
body { margin: 0; background: #10312f; color: #fff; font-family: Georgia, "DejaVu Serif", serif; }
h1 { position: absolute; left: 80px; top: 110px; width: 590px; margin: 0; font-size: 72px; line-height: 1.14; }
p { position: absolute; left: 80px; bottom: 60px; margin: 0; font: 29px/1.4 "DejaVu Sans", sans-serif; color: #bfe3de; }
svg { position: absolute; right: 80px; top: 76px; }
</style><h1>Image Datasets<br>for Deep<br>Learning</h1>
<svg width="440" height="400" viewBox="0 0 440 400" fill="none">
<rect width="440" height="360" rx="24" fill="#1d4d49"/><circle cx="342" cy="84" r="38" fill="#ffd166"/>
<path d="M0 300 120 150l90 110 70-70 160 130v16a24 24 0 0 1-24 24H24a24 24 0 0 1-24-24z" fill="#2f7d76"/>
<path d="M120 150 30 262h172z" fill="#5fb3a9"/>
<rect x="24" y="140" width="186" height="176" stroke="#fff" stroke-width="6"/>
<rect x="24" y="104" width="128" height="36" fill="#fff"/>
<rect x="296" y="38" width="92" height="92" stroke="#ff8f6b" stroke-width="6"/>
<g font-family="DejaVu Sans, sans-serif" font-size="22" fill="#10312f"><text x="36" y="130">mountain</text></g>
<g font-family="DejaVu Sans, sans-serif" font-size="22" fill="#ffd9cc"><text x="318" y="160">sun</text></g>
</svg><p>LFW · CASIA-WebFace · COCO · Flickr8k · Flickr30k · ImageNet · LAION-5B<br>A textbook that runs.</p>"""


def main() -> int:
    """Draw and store."""
    from playwright.sync_api import sync_playwright

    names = ("chromium", "chromium-browser", "google-chrome", "chrome")
    chromium = os.environ.get("CHROMIUM") or next((path for name in names if (path := shutil.which(name))), None)
    if chromium is None:
        print("Needs Chromium: install it, or set CHROMIUM to its path.")
        return 1
    with sync_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
        browser = playwright.chromium.launch(executable_path=chromium, args=flags)
        page = browser.new_page(viewport={"width": 1200, "height": 630})
        page.set_content(PAGE)
        shot = page.screenshot()
        browser.close()
    with Image.open(io.BytesIO(shot)) as image:
        image.convert("RGB").quantize(64).save(ROOT / "_static" / "social.png", optimize=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
