// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Dispatch
import Glibc

/// A second thread, on which a part of the operations runs while the first one waits: nothing depends on time.
final class HelperThread {
  private let order = DispatchSemaphore(value: 0)
  private let answer = DispatchSemaphore(value: 0)
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
      answer.signal()
    }
  }

  /// Leaves no reference to the body behind.
  @inline(never)
  private func perform() { body?() }

  var isCurrent: Bool { pthread_equal(pthread_self(), thread) != 0 }

  func run(_ body: () -> Void) {
    withoutActuallyEscaping(body) { body in
      self.body = body
      order.signal()
      answer.wait()
      self.body = nil
    }
  }

  /// Ends the thread; its heap is torn down when this returns.
  func end() {
    order.signal()
    pthread_join(thread, nil)
  }
}
