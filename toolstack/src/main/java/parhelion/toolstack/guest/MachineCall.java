package parhelion.toolstack.guest;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import parhelion.pc.Board;
import parhelion.toolstack.UserError;

/** Has something done on a machine's thread, and waits for its result. */
final class MachineCall {
  private static final int PATIENCE_SECONDS = 10;

  private MachineCall() {}

  static <T> T of(Board machine, Supplier<T> call) {
    CompletableFuture<T> result = new CompletableFuture<>();
    machine.post(
        () -> {
          try {
            result.complete(call.get());
          } catch (RuntimeException | Error e) {
            result.completeExceptionally(e);
          }
        });
    try {
      return result.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
    } catch (TimeoutException e) {
      throw new UserError("the guest does not run: ask again", e);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof UserError error) {
        throw error;
      }
      throw new IllegalStateException(e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new UserError("interrupted while the guest was asked: ask again", e);
    }
  }
}
