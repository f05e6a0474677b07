// ASSERT_OK(expression), EXPECT_OK(expression): a Status or Result without error, or its text.
#pragma once

#include <gtest/gtest.h>

#include "common/base/result.h"

#define HAWSER_OK_(CHECK, expression)                                           \
  do {                                                                          \
    const auto& hawser_checked = (expression);                                  \
    CHECK(hawser_checked) << #expression ": " << hawser_checked.error().Text(); \
  } while (false)

#define ASSERT_OK(expression) HAWSER_OK_(ASSERT_TRUE, expression)
#define EXPECT_OK(expression) HAWSER_OK_(EXPECT_TRUE, expression)

// A system call that must succeed (not be negative), or its errno.
#define ASSERT_SYSCALL(expression) ASSERT_GE((expression), 0) << #expression ": " << strerrordesc_np(errno)
