import { z } from "zod";

const answerSchema = z.object({ code: z.string().optional(), message: z.string().optional() });

export type SignInResult =
  | { state: "in" }
  | { state: "refused" }
  | { state: "too_many" }
  | { state: "failed"; detail: string };

/** Signs in by e-mail and password; the server sets the session cookie. */
export async function signIn(email: string, password: string): Promise<SignInResult> {
  const response = await fetch("/api/auth/sign-in/email", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ email, password }),
  }).catch(() => null);
  if (!response) return { state: "failed", detail: "The server does not answer. Check that it runs, then try again." };
  if (response.ok) return { state: "in" };
  if (response.status === 401 || response.status === 400) return { state: "refused" };
  if (response.status === 429) return { state: "too_many" };
  const answer = answerSchema.safeParse(await response.json().catch(() => null));
  return {
    state: "failed",
    detail: (answer.success && answer.data.message) || `The server answered ${response.status}.`,
  };
}

/** Ends the session and leads to the door. */
export async function signOut(): Promise<void> {
  await fetch("/api/auth/sign-out", { method: "POST", headers: { "content-type": "application/json" }, body: "{}" });
  location.assign("/sign-in");
}
