import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import {
  bracketMatching,
  HighlightStyle,
  indentOnInput,
  LanguageDescription,
  syntaxHighlighting,
} from "@codemirror/language";
import { languages } from "@codemirror/language-data";
import { unifiedMergeView } from "@codemirror/merge";
import { highlightSelectionMatches, search, searchKeymap } from "@codemirror/search";
import { Annotation, Compartment, EditorState } from "@codemirror/state";
import { drawSelection, EditorView, highlightActiveLine, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { useEffect, useEffectEvent, useRef } from "react";

/** Marks changes that nobody typed. */
const fromOutside = Annotation.define<boolean>();

interface CodeEditorProps {
  path: string;
  /** Another text than the editor's own replaces it: the file was changed elsewhere. */
  text: string;
  onChange: (text: string) => void;
  onSave: () => void;
  /** The text to compare with: differences are shown in place and can be taken back one by one. */
  compareWith?: string | null;
  readOnly?: boolean;
}

const look = EditorView.theme({
  "&": { height: "100%", fontSize: "0.8125rem", backgroundColor: "var(--surface-main)", color: "var(--text-1)" },
  ".cm-scroller": { fontFamily: "var(--font-mono)", lineHeight: "1.3125rem", fontVariantLigatures: "none" },
  ".cm-content": { padding: "0.5rem 0 1.5rem", caretColor: "var(--accent)" },
  ".cm-gutters": { backgroundColor: "var(--surface-main)", color: "var(--text-3)", border: "0" },
  ".cm-lineNumbers .cm-gutterElement": { padding: "0 1rem 0 0.75rem", fontSize: "0.75rem" },
  "&.cm-focused": { outline: "none" },
  ".cm-cursor": { borderLeftColor: "var(--accent)", borderLeftWidth: "2px" },
  ".cm-activeLine, .cm-activeLineGutter": {
    backgroundColor: "color-mix(in oklab, var(--surface-hover) 55%, transparent)",
  },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": {
    backgroundColor: "var(--surface-selected)",
  },
  ".cm-selectionMatch, .cm-searchMatch": {
    backgroundColor: "var(--waiting-soft)",
    outline: "1px solid var(--waiting-line)",
  },
  ".cm-panels": { backgroundColor: "var(--surface-app)", color: "var(--text-1)", borderColor: "var(--line)" },
  ".cm-panel input, .cm-panel button, .cm-chunkButtons button": {
    font: "inherit",
    color: "inherit",
    background: "var(--surface-raised)",
    borderColor: "var(--line-control)",
  },
  ".cm-chunkButtons": { display: "flex", gap: "0.25rem", padding: "0.125rem", zIndex: "2" },
  ".cm-changedText, .cm-deletedChunk .cm-deletedText": { background: "none !important" },
  ".cm-changedLine": { backgroundColor: "var(--added-soft) !important" },
  ".cm-deletedChunk": { backgroundColor: "var(--removed-soft) !important" },
});

const colours = HighlightStyle.define([
  {
    tag: [tags.keyword, tags.heading, tags.typeName, tags.tagName, tags.definitionKeyword],
    color: "var(--code-1)",
    fontWeight: "500",
  },
  { tag: [tags.string, tags.number, tags.bool, tags.regexp, tags.attributeValue], color: "var(--code-2)" },
  {
    tag: [tags.link, tags.url, tags.propertyName, tags.attributeName, tags.function(tags.variableName), tags.labelName],
    color: "var(--code-3)",
  },
  { tag: [tags.comment, tags.processingInstruction, tags.meta, tags.punctuation], color: "var(--code-4)" },
  { tag: tags.emphasis, fontStyle: "italic" },
  { tag: tags.strong, fontWeight: "600" },
]);

/** The choice beside each difference: the page's own buttons with words that say whose text stays. */
function choiceButton(type: "accept" | "reject", act: (event: MouseEvent) => void): HTMLElement {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "btn btn--s";
  button.textContent = type === "accept" ? "Keep mine" : "Take theirs";
  button.addEventListener("mousedown", act);
  return button;
}

/** A text editor: saves with ⌘S, and gives the focus back with ⌃⇧Esc. */
export default function CodeEditor({
  path,
  text,
  onChange,
  onSave,
  compareWith = null,
  readOnly = false,
}: CodeEditorProps) {
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | null>(null);
  const change = useEffectEvent(onChange);
  const save = useEffectEvent(onSave);
  const firstText = useEffectEvent(() => text);

  useEffect(() => {
    if (!host.current) return;
    const language = new Compartment();
    const editor = new EditorView({
      parent: host.current,
      state: EditorState.create({
        doc: firstText(),
        extensions: [
          lineNumbers(),
          history(),
          drawSelection(),
          indentOnInput(),
          bracketMatching(),
          highlightActiveLine(),
          highlightSelectionMatches(),
          search({ top: true }),
          EditorView.lineWrapping,
          EditorState.readOnly.of(readOnly),
          syntaxHighlighting(colours),
          look,
          language.of([]),
          compareWith === null ? [] : unifiedMergeView({ original: compareWith, mergeControls: choiceButton }),
          EditorView.contentAttributes.of({ "aria-label": path, tabindex: "0" }),
          keymap.of([
            { key: "Mod-s", preventDefault: true, run: () => (save(), true) },
            {
              key: "Ctrl-Shift-Escape",
              run: () => (document.querySelector<HTMLElement>("[role=tab][aria-selected=true]")?.focus(), true),
            },
            indentWithTab,
            ...defaultKeymap,
            ...historyKeymap,
            ...searchKeymap,
          ]),
          EditorView.updateListener.of((update) => {
            const typed =
              update.docChanged && !update.transactions.some((transaction) => transaction.annotation(fromOutside));
            if (typed) change(update.state.doc.toString());
          }),
        ],
      }),
    });
    view.current = editor;
    const description = LanguageDescription.matchFilename(languages, path);
    description
      ?.load()
      .then((support) => editor.dispatch({ effects: language.reconfigure(support) }))
      .catch((error: unknown) => console.warn(`No colours for ${path}`, error));
    return () => editor.destroy();
    // The next effect follows the text: typing must not build the editor anew.
  }, [path, compareWith, readOnly]);

  useEffect(() => {
    const editor = view.current;
    if (!editor || editor.state.doc.toString() === text) return;
    editor.dispatch({
      changes: { from: 0, to: editor.state.doc.length, insert: text },
      annotations: fromOutside.of(true),
    });
  }, [text]);

  return <div className="code" ref={host} />;
}
