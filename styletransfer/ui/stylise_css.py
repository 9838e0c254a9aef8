"""Layout of the Stylise tab."""

from styletransfer.ui.words import content

CSS = """
#style-cards, #full, #mask, #stylise .form:has(#query) { display: none; }
#stylise > .column { min-width: 0; }

/* examples: squares in one line */
#examples .gallery { display: flex; flex-wrap: nowrap; gap: 8px; }
#examples .gallery-item { flex: 0 1 82px; aspect-ratio: 1; }
#examples .gallery-item span, #examples .gallery-item .container {
    display: block; width: 100% !important; height: 100% !important; max-height: none;
}
#examples .gallery-item img { width: 100%; height: 100%; object-fit: cover; }
#examples .label svg { display: none; }

/* styles: radio buttons that look like pictures */
.cards label {
    position: relative; display: flex; flex-direction: column; gap: 0; padding: 3px 3px 4px; text-align: center; cursor: pointer;
    border: 2px solid transparent; border-radius: var(--radius-xl); box-shadow: none; background: none;
}
.cards label::before {
    content: ""; width: 100%; aspect-ratio: 1; border-radius: var(--radius-lg); transition: filter 0.15s;
    background-color: var(--border-color-primary); background-size: cover; background-position: center;
}
.cards label:hover::before { filter: brightness(1.08); }
#style label:last-of-type::before {
    content: "+"; display: grid; place-items: center; font-size: 36px; line-height: 1; color: var(--body-text-color-subdued);
}
.cards label.selected {
    border-color: var(--primary-500); color: var(--body-text-color); font-weight: 600; letter-spacing: -0.02em;
}
.cards label:has(:focus-visible) { outline: 2px solid var(--primary-500); outline-offset: 2px; }
.cards input { position: absolute; inset: 0; opacity: 0; }
.cards label span, .cards label::after {  /* title, artist and year */
    display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 3; overflow: hidden; max-width: 100%;
    font-size: var(--text-xs); line-height: 1.35; overflow-wrap: break-word;
}
.cards label span { margin: 3px 0 0; }
.cards label::after { font-size: 11px; font-weight: 400; letter-spacing: 0; color: var(--body-text-color-subdued); }

/* the brush goes from fine to broad, not from one number to another */
#brush .min_value, #brush .max_value { font-size: 0; }
#brush .min_value::after, #brush .max_value::after { font-size: var(--text-sm); }
#tune .head { flex-wrap: nowrap; gap: 4px; }
#tune input[type=range] { min-width: 0; }
#tune .tab-like-container input { min-width: 0; width: 48px; padding-inline: 2px; }

#second label:first-of-type::before {
    content: "∅"; display: grid; place-items: center; font-size: 28px; line-height: 1; color: var(--body-text-color-subdued);
}
#mixing .form { border: none; box-shadow: none; }
#second { padding: 4px 0 0; }
#mix { padding: 8px 0 0; }
#tools button { min-width: 0; padding: 8px 12px; font-size: var(--text-md); white-space: nowrap; }
#cancel { animation: late 0.2s 0.8s backwards; }  /* a small photo is done before it could be cancelled */
#mask-help p { color: var(--body-text-color-subdued); font-size: var(--text-sm); }

/* the result says which side is which */
#result .content::before, #result .content::after {
    position: absolute; z-index: 2; bottom: 10px; padding: 2px 10px; border-radius: 99px; pointer-events: none;
    background: rgb(0 0 0 / 55%); color: white; font-size: var(--text-sm);
}
#result .content::before { left: 10px; }
#result .content::after { right: 10px; }

#result:not(:has(img))::after {
    position: absolute; inset: calc(50% + 20px) 0 auto; text-align: center;
    color: var(--body-text-color-subdued); font-size: var(--text-md);
}

/* progress is worth a word only when it takes a while, and a toast already says what went wrong */
#result [data-testid="status-tracker"]:not(.hide) { animation: late 0.2s 0.8s backwards; }
#result [data-testid="status-tracker"] .error { display: none; }
@keyframes late { from { opacity: 0; } }

@media (min-width: 768px) {
    #stylise {
        display: grid; gap: 16px; align-items: start;
        grid-template: "photo result" auto "style result" 1fr / minmax(300px, 9fr) 16fr;
    }
    #photo-side { grid-area: photo; }
    #style-side { grid-area: style; }
    #result-side { grid-area: result; position: sticky; top: 8px; }
    #result img { max-height: max(320px, 100dvh - 372px) !important; }
    #tune .form { display: grid; grid-template-columns: 1fr 1fr; }
    #tools { gap: 8px; }
    #tools button { flex: 1 0 auto; }
    #tools #download { flex-basis: 100%; }
    .cards .wrap {
        display: grid; grid-template-columns: repeat(auto-fill, minmax(84px, 1fr)); gap: 8px 6px; align-items: start;
        max-height: max(360px, 100dvh - 190px); overflow-y: auto; overscroll-behavior: auto; scrollbar-width: thin;
    }
}
@media (min-width: 1100px) {
    #tune .form { grid-template-columns: repeat(4, 1fr); }
    #tools { flex-wrap: nowrap; }
    #tools #download { flex: 2 1 auto; }
}

@media (max-width: 767px) {
    #style-side, #style, #mixing, #second { min-width: 0 !important; }
    #tune .form { display: grid; grid-template-columns: 1fr 1fr; }
    #examples .gallery-item { flex: 1 1 0; max-width: 82px; }
    #stylise { display: flex; flex-flow: column nowrap; align-items: stretch; gap: 12px; }
    #result-side { display: contents; }
    #photo-side { order: 1; gap: 8px; }
    #result { order: 2; }
    #style-side { order: 3; }
    #tune { order: 4; }
    #tools { order: 5; display: grid; grid-template-columns: repeat(3, auto); gap: 8px; }
    #download, #cancel { grid-column: 1 / -1; }
    #photo, #photo .image-container { height: 132px !important; min-height: 0 !important; }
    #examples .label { display: none; }
    #result img { max-height: 42dvh !important; }
    .cards .wrap {  /* two rows that are swiped */
        display: grid; grid: auto auto / auto-flow 92px; gap: 6px; overflow-x: auto; padding-bottom: 6px; align-items: start;
    }
}

/* on a phone held upright the result stays in view while the controls scroll under it */
@media (max-width: 767px) and (min-height: 600px) {
    #result { position: sticky; top: 0; z-index: 60; flex-shrink: 0; }
}
"""
CSS += content("#brush", ".min_value::after", "stylise_fine")
CSS += content("#brush", ".max_value::after", "stylise_broad")
CSS += content("#result", ".content::before", "stylise_before")
CSS += content("#result", ".content::after", "stylise_after")
CSS += content("#result", ":not(:has(img))::after", "stylise_waiting")
