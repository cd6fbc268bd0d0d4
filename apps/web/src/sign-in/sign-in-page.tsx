import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { TriangleAlert } from "lucide-react";
import { useEffect, useState, type SubmitEvent } from "react";
import { queries } from "../live/queries.ts";
import { Brand } from "../ui/arch.tsx";
import { Button } from "../ui/button.tsx";
import { Field, Input } from "../ui/input.tsx";
import { signIn, type SignInResult } from "./sign-in.ts";
import { Wall } from "./wall.tsx";

/** The door: e-mail and password once the owner has one, the one-time link before. */
export function SignInPage() {
  const welcome = useQuery(queries.welcome());
  const { error } = useSearch({ from: "/sign-in" });
  useEffect(() => {
    document.title = "Sign in · Alcove";
  }, []);
  return (
    <div className="door">
      <main className="door__form">
        <span className="brandline">
          <Brand /> <b>Alcove</b>
        </span>
        <div className="door__middle">
          <header>
            <h1>Sign in</h1>
            <p className="soft">Your workspaces are where you left them.</p>
          </header>
          {error !== undefined && (
            <div className="error" role="alert">
              <TriangleAlert className="icon" />
              <b className="strong">This link was used or has expired</b>
              <p>
                Each link opens the door once. Run <code>alcove link</code> on the server for a new one.
              </p>
            </div>
          )}
          {welcome.isError && (
            <div className="error" role="alert">
              <TriangleAlert className="icon" />
              <b className="strong">The server does not answer</b>
              <p>Check that it runs, then try again. Nothing is lost.</p>
              <div className="btns">
                <Button size="sm" onClick={() => void welcome.refetch()}>
                  Try again
                </Button>
              </div>
            </div>
          )}
          {welcome.data?.ownerHasPassword === true && <PasswordForm />}
          {welcome.data?.ownerHasPassword === false && error === undefined && (
            <p className="soft">
              Open the link that <code>npm start</code> printed. It works once; <code>alcove link</code> on the server
              prints a new one. A password can be set afterwards under Settings, Account.
            </p>
          )}
        </div>
        <p className="quiet">
          Runs on <span className="soft">{location.host}</span>
          {welcome.data && <>, version {welcome.data.version}</>}
        </p>
      </main>
      <Wall />
    </div>
  );
}

function PasswordForm() {
  const navigate = useNavigate();
  const queryClient = useQueryClient();
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const [busy, setBusy] = useState(false);
  const [result, setResult] = useState<SignInResult | null>(null);

  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    const next = await signIn(email, password);
    setResult(next);
    setBusy(false);
    if (next.state !== "in") return;
    queryClient.clear();
    await navigate({ to: "/" });
  };

  return (
    <form className="door__fields" onSubmit={(event) => void submit(event)}>
      <Field label="E-mail" id="email">
        <Input
          id="email"
          type="email"
          autoComplete="username"
          required
          autoFocus
          value={email}
          onChange={(event) => setEmail(event.target.value)}
        />
      </Field>
      <Field label="Password" id="password">
        <Input
          id="password"
          type="password"
          autoComplete="current-password"
          required
          value={password}
          aria-invalid={result?.state === "refused"}
          aria-describedby="sign-in-problem"
          onChange={(event) => setPassword(event.target.value)}
        />
      </Field>
      <p id="sign-in-problem" className="is-failed" role="alert" hidden={result === null || result.state === "in"}>
        {result && problemText(result)}
      </p>
      <Button variant="default" size="lg" type="submit" aria-busy={busy}>
        {busy ? "Signing in" : "Sign in"}
      </Button>
      <p className="quiet">
        Forgot it? Run <code>alcove link</code> on the server and open what it prints.
      </p>
    </form>
  );
}

function problemText(result: SignInResult): string {
  switch (result.state) {
    case "in":
      return "";
    case "refused":
      return "This e-mail and password do not belong together. Check both.";
    case "too_many":
      return "Too many tries. Wait a minute, then try again.";
    case "failed":
      return result.detail;
  }
}
