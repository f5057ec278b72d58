package parhelion.backends.ninep;

/** What a device has moved; written by the scheduler's thread, read by any. */
final class NinePCounts {
  volatile long requests;
  volatile long requestBytes;
  volatile long answerBytes;
  volatile long events;

  void request(int bytes) {
    requests = requests + 1;
    requestBytes = requestBytes + bytes;
  }

  void answer(int bytes) {
    answerBytes = answerBytes + bytes;
  }

  void event() {
    events = events + 1;
  }
}
