import type { Approval } from "@alcove/contract/api/run";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { client } from "../live/client.ts";
import { queries } from "../live/queries.ts";

/** Answers a question. The answer shows at once and is taken back with the reason when it came too late. */
export function useAnswer() {
  const queryClient = useQueryClient();
  const { queryKey } = queries.approvals();
  return useMutation({
    mutationFn: ({ approval, option }: { approval: Approval; option: string }) =>
      client.approvals.answer(approval.id, { option }),
    onMutate: async ({ approval, option }) => {
      await queryClient.cancelQueries({ queryKey });
      queryClient.setQueryData(
        queryKey,
        (old) =>
          old && {
            ...old,
            items: old.items.map((other) =>
              other.id === approval.id ? { ...other, state: "answered" as const, answer: option } : other,
            ),
          },
      );
    },
    onSettled: () => queryClient.invalidateQueries({ queryKey }),
  });
}
