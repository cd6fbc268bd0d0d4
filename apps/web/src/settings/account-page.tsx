import type { Me } from "@alcove/contract/api/account";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type SubmitEvent } from "react";
import { client } from "../live/client.ts";
import { queries } from "../live/queries.ts";
import { usePageTitle } from "../shell/page-title.ts";
import { signOut } from "../sign-in/sign-in.ts";
import { FailureAlert, failureOf } from "../ui/alert.tsx";
import { Button } from "../ui/button.tsx";
import { Field, Input } from "../ui/input.tsx";
import { SkeletonRows } from "../ui/skeleton.tsx";
import { ApiKeys } from "./api-keys.tsx";

/** Who one is, how one signs in, and keys for programs. */
export function AccountPage() {
  usePageTitle("Account");
  const me = useQuery(queries.me());
  return (
    <>
      <header className="settings__head">
        <h1>Account</h1>
        <p className="soft">
          {me.data ? (me.data.role === "owner" ? "You own this server." : "You are a member of this server.") : " "}
        </p>
      </header>
      {me.data ? <Profile me={me.data} /> : <SkeletonRows rows={2} />}
      {me.data && <Password me={me.data} />}
      <ApiKeys />
      <div className="btns">
        <Button onClick={() => void signOut()}>Sign out</Button>
      </div>
    </>
  );
}

function useUpdateMe() {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: (changes: Parameters<typeof client.me.update>[0]) => client.me.update(changes),
    onSuccess: (me) => queryClient.setQueryData(queries.me().queryKey, me),
  });
}

function Profile({ me }: { me: Me }) {
  const [name, setName] = useState(me.name);
  const [email, setEmail] = useState(me.email ?? "");
  const update = useUpdateMe();
  const changed = name.trim() !== me.name || email.trim() !== (me.email ?? "");
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    update.mutate({
      ...(name.trim() === me.name ? {} : { name: name.trim() }),
      ...(email.trim() === (me.email ?? "") ? {} : { email: email.trim() }),
    });
  };
  return (
    <section className="section" aria-labelledby="profile">
      <div className="section__head">
        <h2 id="profile">Profile</h2>
      </div>
      <form className="group form" onSubmit={submit}>
        <Field label="Name" id="name">
          <Input
            id="name"
            required
            maxLength={100}
            autoComplete="name"
            value={name}
            onChange={(event) => setName(event.target.value)}
          />
        </Field>
        <Field label="E-mail" id="email" note="What you sign in with, together with a password">
          <Input
            id="email"
            type="email"
            autoComplete="email"
            value={email}
            onChange={(event) => setEmail(event.target.value)}
          />
        </Field>
        {update.error && <FailureAlert failure={failureOf(update.error)} title="It was not saved" fresh />}
        <div className="btns">
          <Button type="submit" variant={changed ? "default" : "outline"} aria-busy={update.isPending}>
            Save
          </Button>
          <span className="quiet" role="status">
            {update.isSuccess && !changed ? "Saved" : ""}
          </span>
        </div>
      </form>
    </section>
  );
}

function Password({ me }: { me: Me }) {
  const [password, setPassword] = useState("");
  const update = useUpdateMe();
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    update.mutate({ password }, { onSuccess: () => setPassword("") });
  };
  return (
    <section className="section" aria-labelledby="password-title">
      <div className="section__head">
        <h2 id="password-title">Password</h2>
      </div>
      <form className="group form" onSubmit={submit}>
        <input
          type="text"
          className="sr"
          tabIndex={-1}
          aria-hidden="true"
          autoComplete="username"
          readOnly
          value={me.email ?? ""}
        />
        <Field
          label={me.hasPassword ? "New password" : "Password"}
          id="password"
          note={
            me.email === null
              ? "Enter an e-mail above first: both together open the door"
              : "At least 10 characters. Without one, the link that alcove link prints on the server opens the door"
          }
        >
          <Input
            id="password"
            type="password"
            required
            minLength={10}
            maxLength={200}
            autoComplete="new-password"
            value={password}
            onChange={(event) => setPassword(event.target.value)}
          />
        </Field>
        {update.error && <FailureAlert failure={failureOf(update.error)} title="The password was not set" fresh />}
        <div className="btns">
          <Button type="submit" aria-busy={update.isPending}>
            {me.hasPassword ? "Change the password" : "Set a password"}
          </Button>
          <span className="quiet" role="status">
            {update.isSuccess && password === "" ? "Saved" : ""}
          </span>
        </div>
      </form>
    </section>
  );
}
