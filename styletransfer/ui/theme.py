"""Colours, fonts and layout of the demo. System fonts only: the page asks no other server for anything."""

import gradio as gr

THEME = gr.themes.Default(
    primary_hue="orange",
    neutral_hue="stone",
    radius_size="lg",
    font=("system-ui", "sans-serif"),
    font_mono=("ui-monospace", "monospace"),
).set(
    body_text_color_subdued="*neutral_500",
    button_primary_background_fill="*primary_600",
    button_primary_background_fill_hover="*primary_700",
    button_primary_background_fill_dark="*primary_600",
    button_primary_background_fill_hover_dark="*primary_700",
)

# Gradio gives rules outside media queries the higher specificity, so what differs between the two layouts is in a query each.
CSS = """
#header h1 { margin: 0; font-size: 28px; }
#header p { margin: 2px 0 0; color: var(--body-text-color-subdued); font-size: var(--text-lg); }
#privacy p { color: var(--body-text-color-subdued); font-size: var(--text-sm); text-align: center; }
#style-cards { display: none; }
.gradio-container { overflow: clip !important; }  /* hidden, the default, would keep anything from sticking */
.fillable { max-width: 1440px !important; padding: 16px clamp(12px, 2.5vw, 32px) !important; }
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
#style label {
    position: relative; display: flex; flex-direction: column; gap: 0; padding: 3px 3px 4px; text-align: center; cursor: pointer;
    border: 2px solid transparent; border-radius: var(--radius-xl); box-shadow: none; background: none;
}
#style label::before {
    content: ""; width: 100%; aspect-ratio: 1; border-radius: var(--radius-lg); transition: filter 0.15s;
    background-color: var(--border-color-primary); background-size: cover; background-position: center;
}
#style label:hover::before { filter: brightness(1.08); }
#style label:last-of-type::before {
    content: "+"; display: grid; place-items: center; font-size: 36px; line-height: 1; color: var(--body-text-color-subdued);
}
#style label.selected { border-color: var(--primary-500); color: var(--body-text-color); font-weight: 600; }
#style label:has(:focus-visible) { outline: 2px solid var(--primary-500); outline-offset: 2px; }
#style input { position: absolute; inset: 0; opacity: 0; }
#style span { margin: 0; }
#style label span { font-size: var(--text-xs); line-height: 1.4; margin: 0 -5px; overflow-wrap: anywhere; }

/* the result says which side is which */
#result .content::before, #result .content::after {
    position: absolute; z-index: 2; bottom: 10px; padding: 2px 10px; border-radius: 99px; pointer-events: none;
    background: rgb(0 0 0 / 55%); color: white; font-size: var(--text-sm);
}
#result .content::before { content: "Photo"; left: 10px; }
#result .content::after { content: "Painting"; right: 10px; }

#result:not(:has(img))::after {
    content: "Your painting appears here"; position: absolute; inset: calc(50% + 20px) 0 auto; text-align: center;
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
    #result img { max-height: max(320px, 100dvh - 310px) !important; }
    #style .wrap { display: grid; grid-template-columns: repeat(auto-fill, minmax(70px, 1fr)); gap: 8px 4px; }
}

@media (max-width: 767px) {
    #style-side, #style { min-width: 0 !important; }
    #tune { flex-direction: column; align-items: stretch; }
    #examples .gallery-item { flex: 1 1 0; max-width: 82px; }
    #stylise { display: flex; flex-flow: column nowrap; align-items: stretch; gap: 12px; }
    #result-side { display: contents; }
    #photo-side { order: 1; gap: 8px; }
    #result { order: 2; }
    #style-side { order: 3; }
    #tune { order: 4; }
    #download { order: 5; }
    #photo, #photo .image-container { height: 132px !important; min-height: 0 !important; }
    #examples .label { display: none; }
    #result img { max-height: 42dvh !important; }
    #style .wrap { display: flex; flex-flow: row nowrap; gap: 6px; overflow-x: auto; padding-bottom: 6px; }
    #style label { flex: 0 0 84px; }
}

/* on a phone held upright the result stays in view while the controls scroll under it */
@media (max-width: 767px) and (min-height: 600px) {
    #result { position: sticky; top: 0; z-index: 60; flex-shrink: 0; }
}
"""
