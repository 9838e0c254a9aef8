"""Layout of the Stylise tab."""

from styletransfer.ui.words import content

CSS = """
#style-cards, #full, #mask, #photo, #stylise .form:has(#query) { display: none; }
#stylise > .column { min-width: 0; }

/* the photo: a button, and examples in one line */
#photos { flex-wrap: nowrap; align-items: center; gap: 12px; }
#photos > * { flex: 0 1 auto; width: auto; min-width: 0 !important; }
#upload { flex: none; min-height: 44px; padding-inline: 20px; font-size: var(--text-md); }
#examples { display: flex; align-items: center; gap: 12px; margin: 0; }
#examples .label { margin: 0; color: var(--body-text-color-subdued); }
#examples .label svg { display: none; }
#examples .gallery { display: flex; flex-wrap: nowrap; gap: 8px; }
#examples .gallery-item { flex: none; width: 44px; height: 44px; padding: 0; border-radius: var(--radius-lg); overflow: hidden; }
#examples .gallery-item span, #examples .gallery-item .container {
    display: block; width: 100% !important; height: 100% !important; max-height: none;
}
#examples .gallery-item img { width: 100%; height: 100%; object-fit: cover; }

/* kinds of paintings */
#groups .wrap { display: flex; gap: 6px; flex-wrap: wrap; }
#groups label {
    min-height: 36px; padding: 4px 14px; border-radius: 99px; font-size: var(--text-sm); box-shadow: none; white-space: nowrap;
}
#groups label.selected { background: var(--primary-600); border-color: var(--primary-600); color: white; }
#groups label:has(:focus-visible) { outline: 2px solid var(--primary-500); outline-offset: 2px; }
#groups input { position: absolute; opacity: 0; }
#groups label span { margin: 0; }

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
    display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 2; overflow: hidden; max-width: 100%;
    font-size: var(--text-xs); line-height: 1.35; hyphens: auto;
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
#bar, #tools { align-items: stretch; gap: 8px; flex-wrap: nowrap; }
#bar > *, #tools > * { min-width: 0 !important; }
#bar > button, #tools > button { min-height: 44px; padding: 8px 14px; font-size: var(--text-md); white-space: nowrap; }
#tools > button { flex: 1 0 auto; }
#format { flex: 0 0 84px; align-self: center; }
#bar > button, #working { flex: 1 1 auto; align-self: center; }
#working { min-height: 44px; border-radius: var(--radius-lg); }
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

/* a stage of one height, whatever the photo: nothing jumps */
#result, #result .slider-wrap, #result .image-container {
    height: var(--stage) !important; background: var(--background-fill-secondary) !important; touch-action: pan-y;
}
#result img {
    width: 100% !important; height: var(--stage) !important; max-height: none !important; object-fit: contain;
    background: none !important;
}
#result.fullscreen { --stage: 100dvh; z-index: 1000; }
#stage:has(.fullscreen) { position: static; }

/* the handle does not lie on the subject */
#result .icon-wrap { top: calc(100% - 28px); opacity: 0.85; }

@media (min-width: 900px) {
    #stylise {
        --stage: max(320px, 100dvh - 350px);
        display: grid; gap: 20px; align-items: start; grid-template-columns: minmax(0, 1fr) clamp(320px, 33vw, 520px);
    }
    #stage { position: sticky; top: 8px; gap: 12px; }
    #bar > .form { flex: 1 1 60%; }
    #tune .form { display: grid; grid-template-columns: repeat(3, 1fr); }
    .cards .wrap {
        display: grid; grid-template-columns: repeat(auto-fill, minmax(112px, 1fr)); gap: 10px 8px; align-items: start;
        max-height: max(360px, 100dvh - 250px); overflow-y: auto; overscroll-behavior: auto; scrollbar-width: thin;
    }
}
@media (min-width: 1200px) {
    #stage { display: grid; grid-template-columns: minmax(0, 1fr) auto; }
    #photos, #result, #tune { grid-column: 1 / -1; }
    #tools { align-items: center; }
}
/* while the controls are scrolled the result stays in view, but not over the canvas of the mask */
@media (max-width: 899px) and (min-height: 600px) {
    #stylise:not(:has(#masking .label-wrap.open)) #result { position: sticky; top: 0; z-index: 60; }
}
@media (max-width: 899px) {
    #stylise { --stage: 46dvh; display: flex; flex-flow: column nowrap; align-items: stretch; gap: 12px; }
    #stage { display: contents; }
    #wall, #style, #mixing, #second { min-width: 0 !important; }
    #photos { order: 1; }
    #result { order: 2; flex-shrink: 0; }
    #wall { order: 3; }
    #tune { order: 4; }
    #tune .form { display: grid; grid-template-columns: 1fr 1fr; }
    #tools { order: 5; }
    #bar {  /* stays at hand while the page is scrolled */
        order: 6; position: sticky; bottom: 0; z-index: 50; padding: 8px 0; background: var(--body-background-fill);
    }
    #bar > .form { flex: 1 1 50%; }
    #examples .label { display: none; }
    #examples .gallery-item { flex: 0 1 44px; }
    #groups .wrap { flex-wrap: nowrap; overflow-x: auto; padding-bottom: 4px; scrollbar-width: none; }
    .cards .wrap {  /* two rows that are swiped */
        display: grid; grid: auto auto / auto-flow 104px; gap: 6px; overflow-x: auto; padding-bottom: 6px; align-items: start;
    }
}
"""
CSS += content("#brush", ".min_value::after", "stylise_fine")
CSS += content("#brush", ".max_value::after", "stylise_broad")
CSS += content("#result", ".content::before", "stylise_before")
CSS += content("#result", ".content::after", "stylise_after")
CSS += content("#result", ":not(:has(img))::after", "stylise_waiting")
