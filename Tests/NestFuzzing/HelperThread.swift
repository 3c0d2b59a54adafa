// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Glibc

/// A second thread, on which a part of the operations runs while the first one waits: nothing depends on time.
final class HelperThread {
  private let order = Signal()
  private let answer = Signal()
  private var body: (() -> Void)?
  private var thread = pthread_t()

  init() {
    let code = pthread_create(
      &thread, nil,
      { helper in
        Unmanaged<HelperThread>.fromOpaque(helper.unsafelyUnwrapped).takeUnretainedValue().serve()
        return nil
      }, Unmanaged.passUnretained(self).toOpaque())
    require(code == 0, "pthread_create: \(code)")
  }

  private func serve() {
    while true {
      order.wait()
      if body == nil { return }
      perform()
      answer.send()
    }
  }

  /// Leaves no reference to the body behind.
  @inline(never)
  private func perform() { body?() }

  var isCurrent: Bool { pthread_equal(pthread_self(), thread) != 0 }

  func run(_ body: () -> Void) {
    withoutActuallyEscaping(body) { body in
      self.body = body
      order.send()
      answer.wait()
      self.body = nil
    }
  }

  /// Ends the thread; its heap is torn down when this returns.
  func end() {
    order.send()
    pthread_join(thread, nil)
    order.destroy()
    answer.destroy()
  }

  /// What one thread waits for and another sends, seen by the Thread Sanitizer.
  private struct Signal {
    private let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

    init() { sem_init(semaphore, 0, 0) }

    func send() { sem_post(semaphore) }

    func wait() {
      while sem_wait(semaphore) != 0 {}
    }

    func destroy() {
      sem_destroy(semaphore)
      semaphore.deallocate()
    }
  }
}
