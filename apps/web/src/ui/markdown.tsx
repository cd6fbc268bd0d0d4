import ReactMarkdown, { type Components } from "react-markdown";
import remarkGfm from "remark-gfm";

const plugins = [remarkGfm];

const components: Components = {
  a: ({ node: _node, children, ...rest }) => (
    <a className="link" target="_blank" rel="noreferrer noopener" {...rest}>
      {children}
    </a>
  ),
  pre: ({ node: _node, ...rest }) => <pre className="term" tabIndex={0} {...rest} />,
  table: ({ node: _node, ...rest }) => (
    <div className="wide" tabIndex={0} role="region" aria-label="Table">
      <table {...rest} />
    </div>
  ),
  // A picture from another host would tell that host who reads: its address is shown instead.
  img: ({ src, alt }) =>
    typeof src === "string" && src.startsWith(location.origin) ? (
      <img src={src} alt={alt ?? ""} />
    ) : (
      <code>{alt || src}</code>
    ),
};

/** Markdown as text of the page. HTML inside it is shown, not run. */
export default function Markdown({ text, imageUrl }: { text: string; imageUrl?: (path: string) => string }) {
  return (
    <ReactMarkdown
      remarkPlugins={plugins}
      components={components}
      urlTransform={(url, key) => (key === "src" && imageUrl && !/^[a-z]+:/i.test(url) ? imageUrl(url) : safe(url))}
    >
      {text}
    </ReactMarkdown>
  );
}

function safe(url: string): string {
  return /^(https?:|mailto:|#)/i.test(url) || !/^[a-z][a-z0-9+.-]*:/i.test(url) ? url : "";
}
