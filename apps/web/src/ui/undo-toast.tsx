import { Check, Undo2 } from "lucide-react";
import { toast } from "sonner";
import { Button } from "./button.tsx";

/** How long something that was just done can be taken back. */
export const undoMs = 8_000;

/** Says what was done and offers to take it back; gives what withdraws the offer. */
export function tellWithUndo(text: string, undo: () => void): () => void {
  const offer = toast.custom(
    (id) => (
      <div className="flex grow items-center gap-2">
        <Check className="icon" />
        <span className="grow">{text}</span>
        <Button
          size="sm"
          variant="ghost"
          onClick={() => {
            toast.dismiss(id);
            undo();
          }}
        >
          <Undo2 className="icon icon--s" /> Undo
        </Button>
      </div>
    ),
    { duration: undoMs },
  );
  return () => void toast.dismiss(offer);
}
